"""Every defect shows somewhere in its region, and equals the reference everywhere else."""

from functools import cache

import numpy as np
import pytest

from convcheck.calls import Operation, Returned
from convcheck.defects import DEFECTS, Category, UnknownDefectError, defect
from convcheck.execution import Host
from convcheck.oracles.trial import Trial
from convcheck.reference_backend import ReferenceBackend
from convcheck.registry import load
from convcheck.rules import facts
from convcheck.strategies import cases, generate
from convcheck.token import read

CAPABILITIES = DEFECTS[0].backend().capabilities
IN_PROCESS = [item for item in DEFECTS if not item.fatal]

# what random cases of a small pool do not hold
WITNESSES = {
    "depthwise-24-stride-2": ["v1,x=1x24x9x9,out=24,k=3,s=2,p=1,g=24"],
    "channel-block-overwrites": ["v1,x=1x32x5x5,out=2,k=3"],
    "images-beyond-sixteen": ["v1,x=18x1x4x4,out=2,k=3"],
    "unbatched-grouped-no-bias": ["v1,x=4x5x5,out=4,k=3,g=2,bias=0"],
    "grad-weight-grouped-rectangular": ["v1,x=2x4x12x9,out=4,k=3,s=2x1,d=2,g=2"],
    "three-channels-as-four": ["v1,x=1x3x7x7,out=8,k=3"],
}


@cache
def pool():
    return generate(cases(CAPABILITIES), run_seed=5, block=0, size=160)


@cache
def legal():
    return tuple(case for case in pool() if case.violation is None and case.entry == "function")


@cache
def expected(case):
    host = Host(ReferenceBackend)
    return {name: host.call(call) for name, call in Trial(case, CAPABILITIES).calls.items()}


def bits(outcome):
    """Whatever came back, comparable: bytes, or how the call failed."""
    if not isinstance(outcome, Returned):
        return type(outcome).__name__
    arrays = {n: None if a is None else (a.shape, a.dtype, (a + a.dtype.type(0)).tobytes()) for n, a in outcome.arrays.items()}
    return arrays, outcome.malformed, outcome.mutated


def differs(host, case):
    """Whether some call of the case gives something else than the reference; integers and reals in turn."""
    got = {name: host.call(call) for name, call in Trial(case, CAPABILITIES).calls.items()}
    return any(bits(got[name]) != bits(expected(case)[name]) for name in got)


def test_there_are_enough_of_every_category():
    assert len(DEFECTS) >= 90
    assert {item.category for item in DEFECTS} == set(Category)
    assert len({item.name for item in DEFECTS}) == len(DEFECTS)
    assert len({item.summary for item in DEFECTS}) == len(DEFECTS)


@pytest.mark.parametrize("item", IN_PROCESS, ids=lambda item: item.name)
def test_outside_its_region_it_is_the_reference(item):
    outside = [case for case in legal() if not item.region.holds(facts(case))]
    host = Host(item.backend)
    wrong = [case.token for case in outside[:25] if differs(host, case)]
    assert not wrong


ON_DATA = {
    # shows on data that the small pool may not hold: see test_deviations and test_state
    "result-buffer-reused", "plan-kept-by-shape", "stale-border", "result-kept-by-address", "zero-first-image",
    "images-that-look-alike", "bias-that-begins-with-zero", "small-results-skipped", "every-hundredth-call",
}  # fmt: skip


@pytest.mark.parametrize("item", [i for i in IN_PROCESS if i.name not in ON_DATA], ids=lambda item: item.name)
def test_inside_its_region_it_shows(item):
    if item.region.text == "False":
        pytest.skip("shows on illegal cases: test_contract")
    if "module" in item.region.text:
        pytest.skip("shows on modules: test_contract")
    named = tuple(read(token) for token in WITNESSES.get(item.name, ()))
    inside = [case for case in named + legal() if item.region.holds(facts(case))]
    host = Host(item.backend)
    assert any(differs(host, case) for case in inside)


def test_a_defect_is_a_backend_on_the_command_line():
    backend = load("convcheck.defects:stride-exchanged")
    assert backend.name == "stride-exchanged"
    with pytest.raises(UnknownDefectError, match="did you mean stride-exchanged"):
        defect("stride-exchangd")


def test_backends_are_fresh():
    item = defect("first-call-wrong")
    case = legal()[0]
    assert all(differs(Host(item.backend), case) for _ in range(2))
