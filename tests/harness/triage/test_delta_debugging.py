import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.triage.delta_debugging import fails_after_setup, minimal_setup, setup_cases
from convcheck.triage.probe import Budget
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams
from stand_ins import OUTPUT, failure, probe_of

NEEDED = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1)))


@given(NEEDED)
def test_what_is_left_is_what_is_needed_in_its_order(drawn):
    number, needed = drawn
    assert minimal_setup(range(number), needed.issubset) == tuple(sorted(needed))


@given(st.integers(1, 12), st.sets(st.frozensets(st.integers(0, 11)), max_size=30), st.integers(0, 2**32))
def test_what_is_left_fails_in_order_and_without_any_of_it_does_not(number, failing, salt):
    """Whatever makes a case fail: that it fails after some cases says nothing about more of them."""
    every = tuple(range(number))

    def fails_after(some):
        return tuple(some) == every or frozenset(some) in failing or hash((salt, *some)) % 3 == 0

    found = minimal_setup(every, fails_after)
    assert found == tuple(sorted(found))
    assert fails_after(found)
    assert not any(fails_after(found[:at] + found[at + 1 :]) for at in range(len(found)))


def test_nothing_is_needed_where_all_of_it_does_not_lead_to_the_failure():
    asked = []
    assert minimal_setup(range(9), asked.append) == ()
    assert asked == [tuple(range(9))]
    assert minimal_setup((), lambda _: True) == ()


@pytest.mark.parametrize("needed", [{0}, {249}, {100}, {3, 200}, {10, 11, 240}])
def test_few_of_many_are_found_in_few_runs(needed):
    runs = []

    def fails_after(some):
        runs.append(len(some))
        return needed.issubset(some)

    assert minimal_setup(range(250), fails_after) == tuple(sorted(needed))
    assert len(runs) <= 4 * len(needed) * math.log2(250)


class AfterStrides(NumpyBackend):
    """Grouped layers are wrong after so many layers with a stride."""

    capabilities = Capabilities()

    def __init__(self, needed):
        self._needed, self._seen = needed, set()

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        params = Conv2dParams.of(params.arguments)
        if params.stride == (2, 2) and x.shape[:3] == (1, 2, 5):  # oracles ask for other layers besides
            self._seen.add(x.shape)
        return output + np.float32(params.groups > 1 and len(self._seen) >= self._needed)


PLAIN = [f"v1,x=1x2x5x{width},out=2,k=1" for width in range(5, 11)]
STRIDED = [f"v1,x=1x2x5x{width},out=2,k=1,s=2" for width in range(5, 30)]
GROUPED = "v1,x=1x2x5x6,out=2,k=1,g=2"


def sought(earlier, needed, budget=4000):
    block = [read(token) for token in (*earlier, GROUPED)]
    probe = probe_of(lambda: AfterStrides(needed), budget=Budget(budget))
    first = failure(block[-1], position=len(earlier))
    return probe, setup_cases(probe, OUTPUT, first, lambda _: block)


def test_the_cases_of_the_block_that_have_to_run_before_are_found():
    probe, found = sought([PLAIN[0], STRIDED[0], *PLAIN[1:], STRIDED[1]], 2)
    assert [case.token for case in found] == STRIDED[:2]
    assert fails_after_setup(probe, found, read(GROUPED), OUTPUT)
    assert fails_after_setup(probe, found[:1], read(GROUPED), OUTPUT) is None
    assert fails_after_setup(probe, (), read(GROUPED), OUTPUT) is None


def test_more_cases_than_anybody_would_repeat_are_no_setup():
    assert sought(STRIDED, 21)[1] == ()
    assert len(sought(STRIDED, 3)[1]) == 3


def test_cases_after_the_failure_are_no_setup():
    block = [read(token) for token in (GROUPED, STRIDED[0])]
    probe = probe_of(lambda: AfterStrides(1))
    assert setup_cases(probe, OUTPUT, failure(block[0]), lambda _: block) == ()


def test_without_calls_no_setup_is_found():
    probe, found = sought([STRIDED[0]], 1, budget=0)
    assert found == ()
    assert probe.candidate.calls == 0
