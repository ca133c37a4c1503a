from itertools import islice

import numpy as np
import pytest

from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.mutations import (
    changed,
    changes_factoring,
    changes_reaching,
    roomier,
    single_changes,
    variations,
    with_changes,
)
from convcheck.triage.diagnosis.terms import EVERY_PARAMETER, MOST_MULTIPLY_ADDS  # fmt: skip

BASES = [
    read(token)
    for token in (
        "v1,x=2x6x5x11,out=6,k=2x3,s=1x2,p=1x0,d=1x2,g=2",
        "v1,x=4x7x6,out=3,k=3,p=same,mode=circular,dtype=bfloat16",
        "v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1",
    )
]


@pytest.mark.parametrize("base", BASES)
def test_variations_are_legal_small_and_differ_in_more_the_more_is_changed(base):
    rng = np.random.default_rng(3)
    near, far = (list(islice(variations(base, rng, names), 60)) for names in (2, EVERY_PARAMETER))
    for case in (*near, *far):
        assert case.violation is None
        assert case.params.multiply_adds(case.input_shape) <= MOST_MULTIPLY_ADDS
        assert case.nonzeros is None
    differing = [sum(sum(facts(c)[n] != v for n, v in facts(base).items()) for c in cases) for cases in (near, far)]
    assert differing[0] < differing[1]


@pytest.mark.parametrize("base", BASES)
def test_a_single_change_keeps_what_does_not_follow_from_it(base):
    for case in single_changes(base):
        assert (case.seed, case.nonzeros, case.entry) == (base.seed, base.nonzeros, base.entry)
    wider = changed(base, "out_per_group", 5)
    differing = {name for name, value in facts(wider).items() if value != facts(base)[name]}
    assert differing <= {"out_per_group", "out_channels"}


def test_a_parameter_is_set_or_there_is_no_such_case():
    assert facts(changed(BASES[0], "output_w", 9))["output_w"] == 9
    assert facts(changed(BASES[0], "left_over_w", 1))["left_over_w"] == 1
    assert changed(BASES[0], "height", 9) is None  # follows from others
    assert changed(BASES[0], "output_w", 10**6) is None  # too large to be judged often


def test_single_changes_try_every_way_to_group_the_same_channels():
    channels = {(c.params.in_channels, c.params.out_channels, c.params.groups) for c in single_changes(BASES[0])}
    assert {(6, 6, groups) for groups in (1, 2, 3, 6)} <= channels


def test_a_roomier_case_still_fails_and_is_larger_where_it_may_be():
    narrow = Rule("output_w < 4")
    found = facts(roomier(BASES[2], lambda case: narrow.holds(facts(case))))
    assert narrow.holds(found)
    assert min(found["output_h"], found["in_per_group"], found["out_per_group"], found["batch"]) > 1
    assert roomier(BASES[2], lambda _: False) == BASES[2]


@pytest.mark.parametrize("name", ["height", "width", "in_channels", "out_channels", "extent_h", "extent_w", "pad_right",
                                  "row_bytes", "output_w", "groups"])  # fmt: skip
def test_a_count_gets_the_value_that_it_is_to_have(name):
    reached = 0
    for base in BASES[0], read("v1,x=2x6x25x31,out=6,k=3,s=3x2,p=1,d=2,g=3"):
        for value in range(1, 40):
            changes = changes_reaching(base, name, value)
            case = None if changes is None else with_changes(base, changes)
            if case is not None and case.params.padding == base.params.padding:
                reached += facts(case)[name] == value
                # an image cannot be so small that no window fits in
                assert facts(case)[name] == value or value < facts(base)["extent_h"] + facts(base)["stride_h"]
    assert reached > 20 or name in ("pad_right", "row_bytes")


def test_nothing_reaches_what_is_no_count():
    assert changes_reaching(BASES[0], "dtype", 3) is None
    assert changes_reaching(BASES[0], "row_bytes", 3) is None


@pytest.mark.parametrize("value", [7, 255, 256, 257, 4096])
def test_a_product_gets_the_value_that_it_is_to_have(value):
    base = read("v1,x=1x3x4x4,out=1,k=3x2,bias=false")
    names = ("in_per_group", "kernel_h", "kernel_w")
    cases = [with_changes(base, changes) for changes in changes_factoring(base, names, value)]
    known = [facts(case) for case in cases if case is not None]
    assert known
    assert {one["in_per_group"] * one["kernel_h"] * one["kernel_w"] for one in known} == {value}
    assert value != 256 or len({tuple(one[name] for name in names) for one in known}) > 3


def test_there_is_no_case_without_a_kernel():
    assert with_changes(BASES[0], {"kernel_h": 0}) is None
    assert with_changes(BASES[0], {"padding_h": 0}) is not None
