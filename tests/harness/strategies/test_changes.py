"""What one change leaves as it is, and that a run makes all of them."""

from dataclasses import fields

from convcheck import Capabilities
from convcheck.judging.blocks import generate
from convcheck.model.token import read
from convcheck.oracles import cache_keys, due
from convcheck.oracles.support.trial import Trial
from convcheck.strategies.changes import CHANGES, changes
from convcheck_backends import NumpyBackend
from convcheck_reference import Arguments

CASE = read("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2")
FULL = NumpyBackend.capabilities


def spelled(params):
    return {f.name: getattr(params, f.name) for f in fields(Arguments)}


def test_every_argument_size_dtype_and_layout_is_changed_by_itself():
    by_itself = set()
    for other in changes(CASE, FULL).values():
        before, after = spelled(CASE.params), spelled(other.params)
        changed = {name for name in before if before[name] != after[name]}
        changed |= {
            f"axis {at}" for at, (a, b) in enumerate(zip(CASE.input_shape, other.input_shape, strict=False)) if a != b
        }
        changed |= {f"layout {at}" for at, (a, b) in enumerate(zip(CASE.layouts, other.layouts, strict=True)) if a != b}
        changed |= {"dtype"} if other.dtype != CASE.dtype else set()
        by_itself |= changed if len(changed) == 1 else set()
    arguments = {f.name for f in fields(Arguments)} - {"in_channels"}  # which is an axis of the input as well
    assert by_itself >= arguments | {"axis 0", "axis 2", "axis 3", "layout 0", "layout 1", "layout 2", "dtype"}
    wider = changes(CASE, FULL)["other in_channels"]
    assert (wider.params.in_channels, wider.input_shape) == (6, (2, 6, 7, 6))


def test_all_changes_are_legal_and_none_is_the_case_itself():
    for other in changes(CASE, FULL).values():
        assert other.is_legal_call
        assert other != CASE
    assert set(changes(CASE, FULL)) <= set(CHANGES)


def test_the_padded_size_and_the_shapes_stay_by_other_means():
    def padded(case):
        (top, bottom), (left, right) = case.params.padding
        *_, height, width = case.input_shape
        return top + height + bottom, left + width + right

    found = changes(CASE, FULL)
    traded, shaped = found["the same padded size by other padding"], found["the same shapes by other geometry"]
    assert padded(traded) == padded(CASE)
    assert traded.params.padding != CASE.params.padding
    assert (shaped.input_shape, shaped.output_shape) == (CASE.input_shape, CASE.output_shape)
    assert spelled(shaped.params) != spelled(CASE.params)


def test_what_a_candidate_does_not_support_is_not_asked_for():
    few = Capabilities(dtypes=("float32",), padding_modes=("zeros",), groups=False, layouts=("contiguous",))
    found = changes(read("v1,x=2x4x7x6,out=6,k=3"), few)
    assert not {"another dtype", "another padding mode", "other groups", "another layout of x"} & set(found)


def test_a_run_of_two_thousand_makes_every_change_in_both_orders():
    made = set()
    for block in range(6):  # those that are drawn; the others are searched
        for case in generate(FULL, run_seed=1, block=block):
            if case.is_legal_call and cache_keys.ORACLE in due(case):
                trial = Trial(case, FULL)
                _, others_first = cache_keys.order(trial)
                made |= {(name, others_first) for name in cache_keys.steps(trial) if name in CHANGES}
    assert made == {(name, others_first) for name in CHANGES for others_first in (False, True)}
