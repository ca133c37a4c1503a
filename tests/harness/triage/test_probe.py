import numpy as np
import pytest

import convcheck.oracles
from altered import Altered, off_by
from convcheck import Capabilities, Status
from convcheck.model.token import read
from convcheck.oracles import CALL, ORACLES, PRECISION, Oracle, Trial, due, extra_calls
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import CALLS_OF_RESTART, Budget, Probe, calls_showing, oracles_showing
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams
from stand_ins import CRASHED, GRAD_INPUT, GRAD_WEIGHT, IMPRECISE, OUTPUT, REFUSED, probe_of

GROUPED, PLAIN = read("v1,x=2x4x5x6,out=4,k=2,g=2"), read("v1,x=2x4x5x6,out=4,k=2")
FLIP = FailureSignature("metamorphic-flip", "output")


class Grouped(NumpyBackend):
    """Wrong where there are groups."""

    capabilities = Capabilities(gradients=True)

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        return output + np.float32(1) if Conv2dParams.of(params.arguments).groups > 1 else output


def refusing_groups():
    class Refusing(Grouped):
        def conv2d(self, x, weight, bias, params):
            if params.groups > 1:
                raise NotImplementedError("groups")
            return super().conv2d(x, weight, bias, params)

    return Refusing()


def test_a_case_fails_by_the_verdict_that_has_the_signature():
    found = probe_of(Grouped).failing(GROUPED, OUTPUT)
    assert (found.oracle, found.quantity, found.status) == ("exact", "output", Status.FAIL)
    assert probe_of(Grouped).failing(PLAIN, OUTPUT) is None
    assert probe_of(Grouped).failing(GROUPED, GRAD_INPUT) is None


def test_without_calls_nothing_fails_and_nothing_is_called():
    probe = probe_of(Grouped, budget=Budget(0))
    assert probe.failing(GROUPED, OUTPUT) is None
    assert probe.label(GROUPED, OUTPUT) is None
    probe.replay(GROUPED)
    assert probe.candidate.calls == 0
    assert probe.calls_left == 0


def test_every_call_is_taken_off_what_is_left():
    probe = probe_of(Grouped, budget=Budget(100))
    probe.failing(GROUPED, IMPRECISE)
    probe.replay(PLAIN)
    assert probe.candidate.calls > 2
    assert probe.calls_left == 100 - probe.candidate.calls


def test_a_case_put_twice_is_called_once_until_it_is_asked_again_or_the_candidate_is_fresh():
    probe = probe_of(Grouped)
    calls = []
    for ask in (probe.failing, probe.failing, probe.label, probe.again, probe.failing):
        assert ask(GROUPED, OUTPUT)
        calls.append(probe.candidate.calls)
    assert calls == [1, 1, 1, 2, 2]
    probe.fresh()
    assert probe.failing(GROUPED, OUTPUT)
    assert (probe.candidate.calls, probe.candidate.restarts) == (3, 1)


def test_what_is_remembered_is_of_one_signature():
    probe = probe_of(Grouped)
    assert probe.failing(GROUPED, OUTPUT)
    assert probe.failing(GROUPED, GRAD_INPUT) is None
    assert probe.candidate.calls == 2


def test_asking_again_finds_what_has_changed():
    class Once(Grouped):
        """Wrong in its first call."""

        calls = 0

        def conv2d(self, x, weight, bias, params):
            self.calls += 1
            return NumpyBackend().conv2d(x, weight, bias, params) + np.float32(self.calls == 1)

    probe = probe_of(Once)
    assert probe.failing(PLAIN, OUTPUT)
    assert probe.failing(PLAIN, OUTPUT)
    assert probe.again(PLAIN, OUTPUT) is None
    assert probe.restarting().failing(PLAIN, OUTPUT)


def test_a_restarting_probe_starts_afresh_for_every_case_and_pays_for_it_from_the_same_budget():
    probe = probe_of(Grouped, budget=Budget(100))
    each_fresh = probe.restarting()
    for case in (GROUPED, PLAIN, GROUPED):
        each_fresh.failing(case, OUTPUT)
    assert (probe.candidate.calls, probe.candidate.restarts) == (2, 2)
    assert probe.calls_left == each_fresh.calls_left == 100 - 2 * (1 + CALLS_OF_RESTART)


def test_an_excluded_failure_is_none_also_to_a_restarting_probe():
    probe = probe_of(Grouped, excluded=lambda case, verdict: case == GROUPED and verdict.quantity == "output")
    for one in (probe, probe.restarting()):
        assert one.failing(GROUPED, OUTPUT) is None
        assert one.label(GROUPED, OUTPUT) is None
        assert one.label(PLAIN, OUTPUT) is False


def test_a_label_is_none_where_a_case_failed_otherwise_or_could_not_have_failed():
    assert probe_of(Grouped).label(GROUPED, OUTPUT) is True
    assert probe_of(Grouped).label(PLAIN, OUTPUT) is False
    refusing = probe_of(refusing_groups)
    assert refusing.label(GROUPED, OUTPUT) is None
    assert refusing.label(GROUPED, REFUSED) is True
    assert refusing.label(PLAIN, REFUSED) is False
    nothing_to_see = read("v1,x=1x1x1x1,out=1,k=1,p=4,bias=false")
    assert probe_of(Grouped).label(nothing_to_see, OUTPUT) is None


@pytest.mark.parametrize("token", ["v1,x=2x4x5x6,out=4,k=2,dtype=float64", "v1,x=2x4x5x6,out=4,k=2.5"])
def test_a_case_that_is_not_declared_or_not_specified_is_not_put(token):
    probe = probe_of(lambda: Altered(off_by(1)))
    probe.candidate._backend.capabilities = Capabilities()
    assert probe.failing(read(token), OUTPUT) is None
    probe.replay(read(token))
    assert probe.candidate.calls == 0


def test_a_replay_makes_the_calls_that_a_campaign_makes():
    probe = probe_of(Grouped)
    drawn = (read(f"v1,x=2x4x5x6,out=4,k=2,seed={seed}") for seed in range(99))
    case = next(case for case in drawn if any(oracle.has_own_calls for oracle in due(case)))
    trial = Trial(case, probe.candidate.capabilities)
    probe.replay(case)
    assert probe.candidate.calls == len(trial.calls) + len(extra_calls(trial, due(case))) > len(trial.calls)


def test_probes_that_share_blank_trials_share_their_tensors():
    trials = {}

    def blank(case):
        return trials.setdefault(case.token, Trial(case, Grouped.capabilities))

    first, second = (Probe(probe_of(Grouped).candidate, blank=blank).trial(PLAIN, OUTPUT) for _ in range(2))
    assert first.integers is second.integers


@pytest.mark.parametrize(
    ("signature", "names"),
    [
        (OUTPUT, ["integers forward"]),
        (GRAD_INPUT, ["integers backward"]),
        (IMPRECISE, ["integers forward", "reals forward"]),
        (FailureSignature(PRECISION, "grad_weight"), ["integers backward", "reals backward"]),
        (CRASHED, ["integers forward", "integers backward", "reals forward", "reals backward"]),
        (FailureSignature("adjoint", "adjoint"), ["integers forward", "integers backward", "reals forward", "reals backward"]),
    ],
)  # fmt: skip
def test_only_the_calls_in_which_a_signature_can_show_are_made(signature, names):
    trial = Trial(GROUPED, Grouped.capabilities)
    assert [key.name for key in calls_showing(trial, signature)] == names


def test_the_calls_of_the_oracle_that_found_a_failure_are_made_besides_and_no_others_are():
    trial = Trial(GROUPED, Grouped.capabilities)
    calls = calls_showing(trial, FLIP)
    assert list(calls)[: len(trial.calls)] == list(trial.calls)
    assert {key.asked_by for key in calls} == {"", "metamorphic-flip"}


def test_a_module_has_one_call_whatever_the_signature():
    trial = Trial(read("v1,x=2x4x5x6,out=4,k=2,entry=module"), Capabilities(module=True))
    for signature in (OUTPUT, IMPRECISE, FailureSignature("module", "module")):
        assert calls_showing(trial, signature) == trial.calls


def test_a_call_that_an_oracle_asked_for_is_repeated_by_asking_it_whatever_its_name(monkeypatch):
    name = "image of ones"
    added = Oracle(name, lambda _: (), lambda trial: {"call": next(iter(trial.calls.values()))})
    monkeypatch.setattr(convcheck.oracles, "ORACLES", (*ORACLES, added))
    crashed = FailureSignature(str(Status.CRASHED), CALL, name)
    assert [o.name for o in oracles_showing(GROUPED, crashed) if o.has_own_calls] == [name]
    assert (name, "call") in calls_showing(Trial(GROUPED, Grouped.capabilities), crashed)
    assert not [o for o in oracles_showing(GROUPED, CRASHED) if o.has_own_calls]


def test_only_results_are_judged_where_only_results_can_differ():
    assert {o.name for o in oracles_showing(GROUPED, OUTPUT)} == {
        "parity", "contract", "exact", "bounded", "gradients-exact", "gradients-bounded", "aggregated", "projected",
    }  # fmt: skip


def test_a_right_shape_tells_of_wrong_shapes_where_values_tell_nothing():
    """The only window of the layer lies in the padding, so its weight has a gradient of zeros."""
    probe, case = probe_of(Grouped), read("v1,x=1x1x1x1,out=1,k=1,s=5x1,p=2x0,bias=false")
    assert probe.label(case, GRAD_WEIGHT) is None
    assert probe.label(case, GRAD_WEIGHT, shown_by="contract") is False


def test_no_call_is_left_when_the_time_is_up():
    now = [0.0]
    probe = Probe(probe_of(Grouped).candidate, budget=Budget(100, until=5.0, clock=lambda: now[0]))
    assert probe.calls_left == 100
    now[0] = 5.0
    assert probe.calls_left == 0
