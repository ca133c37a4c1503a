import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.triage.probe import Budget
from convcheck.triage.state_dependence import depends_on_state
from convcheck_backends import NumpyBackend
from stand_ins import IMPRECISE, OUTPUT, probe_of

CASE = read("v1,x=2x4x5x6,out=4,k=2")


class WrongWhen(NumpyBackend):
    """Wrong in some of its calls, by their number."""

    capabilities = Capabilities()

    def __init__(self, wrong):
        self._wrong, self._calls = wrong, 0

    def conv2d(self, x, weight, bias, params):
        self._calls += 1
        return super().conv2d(x, weight, bias, params) + np.float32(self._wrong(self._calls))


@pytest.mark.parametrize(
    ("wrong", "signature", "depends"),
    [
        (lambda _: True, OUTPUT, False),
        (lambda number: number > 1, IMPRECISE, True),  # the second call of the case, never by itself
        (lambda number: number == 1, OUTPUT, True),  # by itself, and not again
    ],
    ids=["always wrong", "wrong after a call", "wrong once"],
)
def test_a_failure_depends_on_state_if_it_needs_a_call_before_or_none_before(wrong, signature, depends):
    probe = probe_of(lambda: WrongWhen(wrong))
    assert probe.failing(CASE, signature)
    probe.fresh()
    assert depends_on_state(probe, CASE, signature) is depends


def test_each_call_meets_a_fresh_candidate_and_is_paid_for():
    probe = probe_of(lambda: WrongWhen(lambda _: True), budget=Budget(100))
    depends_on_state(probe, CASE, IMPRECISE)
    assert probe.candidate.restarts == 2
    assert probe.calls_left <= 100 - probe.candidate.calls - probe.candidate.restarts


def test_where_no_calls_are_left_nothing_depends_on_state():
    probe = probe_of(lambda: WrongWhen(lambda number: number > 1), budget=Budget(0))
    assert depends_on_state(probe, CASE, IMPRECISE) is False
    assert probe.candidate.calls == 0
