from dataclasses import replace
from pathlib import Path

import pytest

from convcheck import Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.oracles import Trial, find
from convcheck.plugin.registry import load
from convcheck_backends import NumpyBackend

PLUGIN = Path(__file__).parents[2] / "plugins" / "fake_device.py"
CASE = read("v1,x=2x4x5x6,out=4,k=3,p=1,g=2")
ORACLE = find("streams")


def verdicts(name, case=CASE, **declared):
    backend = load(f"{PLUGIN}:{name}")
    backend.capabilities = replace(backend.capabilities, **declared)
    return judge_case(InProcessCandidate(lambda: backend), case, (find("parity"), ORACLE))[0]


def found(name, case=CASE, **declared):
    """(quantity, status, clause) of what the oracle says."""
    own = [v for v in verdicts(name, case, **declared) if v.oracle == ORACLE.name]
    return {(v.quantity, v.status, v.clauses[-1]) for v in own}


def every(status, clause, *quantities):
    return {(quantity, status, clause) for quantity in quantities}


FORWARD, BACKWARD = ("output",), ("grad_input", "grad_weight")
RIGHT = every(Status.PASS, "C2D-PURE-8", *FORWARD, *BACKWARD, "grad_bias")
REPLAYED = every(Status.PASS, "C2D-PURE-9", *FORWARD, *BACKWARD, "grad_bias")


def test_what_is_queued_on_the_current_stream_is_right_there_and_in_a_graph():
    assert found("OnFakeDevice") == RIGHT | REPLAYED


def test_who_waits_for_the_device_is_right_wherever_he_launches_then_but_cannot_be_captured():
    assert found("WaitsForTheDevice", graphs=False) == RIGHT
    (refused, *_) = [v for v in verdicts("WaitsForTheDevice") if v.status is Status.WRONGLY_REFUSED]
    assert refused.oracle == ORACLE.name
    assert "not permitted when stream is capturing" in refused.reason


def test_a_kernel_on_the_default_stream_finds_what_was_there_before():
    wrong = [v for v in verdicts("OnDefaultStream", graphs=False) if v.status is Status.FAIL]
    assert {v.quantity for v in wrong} >= {*FORWARD, *BACKWARD}
    assert {v.clauses for v in wrong} == {("C2D-PURE-8",)}
    assert all(
        f"on another stream, {v.quantity} is wrong: it is the result of an earlier call" in v.reason for v in wrong
    )


def test_gradients_on_the_default_stream_are_told_apart_from_outputs():
    seen = found("BackwardOnDefaultStream", graphs=False)
    assert every(Status.PASS, "C2D-PURE-8", *FORWARD) < seen
    assert every(Status.FAIL, "C2D-PURE-8", *BACKWARD) < seen


def test_what_was_packed_outside_of_a_graph_is_stale_within():
    seen = found("PacksOutside")
    assert every(Status.FAIL, "C2D-PURE-9", *FORWARD) < seen
    assert every(Status.PASS, "C2D-PURE-8", *FORWARD) < seen


@pytest.mark.parametrize("declared", [{"streams": False, "graphs": False}, {"graphs": False}])
def test_nothing_is_asked_that_is_not_declared(declared):
    clauses = {clause for _, _, clause in found("OnFakeDevice", **declared)}
    assert clauses == ({"C2D-PURE-8"} if declared.get("streams", True) else set())


def test_without_a_device_nothing_is_asked():
    candidate = InProcessCandidate(NumpyBackend)
    assert not ORACLE.calls(Trial(CASE, candidate.capabilities))
    assert candidate.capabilities is NumpyBackend.capabilities


def test_what_is_declared_without_a_device_is_not_asked():
    class Declaring(NumpyBackend):
        capabilities = replace(NumpyBackend.capabilities, streams=True, graphs=True)

    candidate = InProcessCandidate(Declaring)
    assert (candidate.capabilities.streams, candidate.capabilities.graphs) == (False, False)
    assert not judge_case(candidate, CASE, (ORACLE,))[0]


def test_what_is_wrong_directly_is_said_by_others():
    class Wrong(type(load(f"{PLUGIN}:OnFakeDevice"))):
        def _filled(self, results, compute, launch):
            super()._filled(results, lambda: tuple(None if r is None else r + 1 for r in compute()), launch)

    assert not [v for v in judge_case(InProcessCandidate(Wrong), CASE, (ORACLE,))[0] if v.oracle == ORACLE.name]
