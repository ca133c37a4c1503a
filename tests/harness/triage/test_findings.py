from functools import lru_cache
from itertools import count

import numpy as np
import pytest

from convcheck import Backend, Capabilities, Gradients
from convcheck.defects import defect
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.findings import HARMLESS, findings_of, triage
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams

DECLARED = {repr(Capabilities()): Capabilities()}


class Counted(InProcessCandidate):
    """A host that counts calls."""

    calls = 0

    def call_all(self, calls):
        self.calls += len(calls)
        return super().call_all(calls)


@lru_cache
def drawn_for(declared, size):
    return generate(DECLARED[declared], run_seed=0, block=0, size=size)


def campaign(make, size=120, **options):
    host = Counted(make)
    DECLARED[repr(host.capabilities)] = host.capabilities
    drawn = drawn_for(repr(host.capabilities), size)
    failures = judge_block(host, drawn, 0).failures
    host.restart()
    host.calls = 0
    return host, failures, findings_of(host, failures, lambda _: drawn, **options)


class Forward(NumpyBackend):
    """float32 forward only: what a small kernel declares."""

    capabilities = Capabilities()


class Depthwise(Forward):
    """Nothing but the first channel of depthwise layers."""

    def conv2d(self, x, weight, bias, params):
        params = Conv2dParams.of(params.arguments)
        if params.groups > 1 and params.groups == params.in_channels:
            output = super().conv2d(x, weight, bias, params).copy()
            output[..., params.out_channels // params.groups :, :, :] = 0
            return output
        return super().conv2d(x, weight, bias, params)


class DepthwiseAndTail(Depthwise):
    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        if params.arguments.groups == 1 and output.shape[-1] > 8 and output.shape[-1] % 8:
            output = output.copy()
            output[..., output.shape[-1] // 8 * 8 :] = 0
        return output


def test_no_cause_is_looked_for_when_the_time_is_up():
    host = Counted(Depthwise)
    failures = judge_block(host, generate(host.capabilities, run_seed=0, block=0, size=60), 0).failures
    assert failures
    found = triage(host, failures, lambda _: (), until=0.0)
    assert not found.findings
    assert list(found.not_looked_at) == failures


def test_two_causes_are_two_findings():
    _, failures, findings = campaign(DepthwiseAndTail, size=250, defects=())
    assert len(failures) > 10
    rules = [str(f.diagnosis.failure_condition.rule) for f in findings]
    assert len(rules) == 2
    assert any("output_w" in rule for rule in rules)
    assert any("groups > 1" in rule and ("in_per_group" in rule or "in_channels" in rule) for rule in rules), rules
    assert sum(f.failing_cases for f in findings) == len(failures)


def test_what_is_wrong_in_output_and_gradients_is_one_finding():
    _, failures, findings = campaign(defect("stride-exchanged").backend, size=60)
    assert len(findings) == 1
    found = findings[0]
    assert found.diagnosis.known_defects[0].name == "stride-exchanged"
    assert set(found.also_affects) >= {"grad_input", "grad_weight"}
    assert found.failing_cases == len(failures)


def test_wrong_everywhere_is_told_within_the_budget_of_calls():
    class Noise(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            return output + np.arange(output.size).reshape(output.shape).astype(output.dtype) + output.dtype.type(1)

        def conv2d_backward(self, grad_output, x, weight, bias, params):
            right = super().conv2d_backward(grad_output, x, weight, bias, params)
            return Gradients(*(None if a is None else a + a.dtype.type(3) for a in right))

    host, _, findings = campaign(Noise, size=40, defects=())
    assert len(findings) <= 4
    assert host.calls < 6500


def test_what_there_are_no_calls_for_belongs_to_no_finding():
    host = Counted(DepthwiseAndTail)
    drawn = drawn_for(repr(host.capabilities), 120)
    failures = judge_block(host, drawn, 0).failures
    found = triage(host, failures, lambda _: drawn, defects=(), most_calls=40)
    placed = [failure for some in (*found.accounted, found.not_looked_at) for failure in some]
    assert sorted(map(id, placed)) == sorted(map(id, failures))
    assert found.not_looked_at
    assert [f.failing_cases for f in found.findings] == [len(some) for some in found.accounted]


def test_no_finding_shows_what_is_excluded():
    known = Rule("output_w > 8 and output_w % 8 != 0")
    host = InProcessCandidate(DepthwiseAndTail)
    drawn = drawn_for(repr(host.capabilities), 120)

    def excluded(case, verdict):
        return case.violation is None and known.holds(facts(case))

    failures = [f for f in judge_block(host, drawn, 0).failures if not excluded(f.case, f.verdict)]
    findings = findings_of(host, failures, lambda _: drawn, excluded=excluded, defects=())
    assert findings
    assert not any(known.holds(facts(read(f.reproduction.token))) for f in findings)


def test_a_failure_that_does_not_repeat_says_how_often_it_did():
    calls = count()

    class Flaky(Forward):
        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            return output + output.dtype.type(1) if next(calls) % 5 == 0 else output

    _, _, findings = campaign(Flaky, size=60, defects=())
    assert findings
    assert any(0 <= f.reproduction.reproduced < f.reproduction.attempts for f in findings)


def test_a_failure_that_needs_an_earlier_case_keeps_it():
    class Remembering(Forward):
        """Grouped layers are wrong after any layer with a stride."""

        def __init__(self):
            self.strided = False

        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            params = Conv2dParams.of(params.arguments)
            wrong, self.strided = self.strided and params.groups > 1, self.strided or params.stride != (1, 1)
            return output + output.dtype.type(1) if wrong and params.stride == (1, 1) else output

    _, _, findings = campaign(Remembering, size=60, defects=())
    assert findings
    assert findings[0].reproduction.reproduced == findings[0].reproduction.attempts
    assert len(findings[0].reproduction.setup_cases) == 1


@pytest.mark.parametrize(
    ("name", "by_itself"),
    [("weight-kept-by-shape", True), ("grad-weight-not-cleared", True),
     ("first-call-wrong", True), ("right-while-warming-up", False)],
)  # fmt: skip
def test_what_state_does_is_one_finding_that_has_its_name(name, by_itself):
    _, failures, findings = campaign(defect(name).backend, size=200)
    assert len(findings) == 1
    found = findings[0]
    assert found.diagnosis.known_defects[0].name == name
    assert found.failing_cases == len(failures)
    assert (
        found.reproduction.reproduced,
        bool(found.reproduction.setup_cases),
        found.reproduction.state_dependent,
    ) == (found.reproduction.attempts, not by_itself, by_itself)


class TwoBugs(NumpyBackend):
    """A weight kept from the first call with its shape, and a weight gradient that is always off by one."""

    def __init__(self):
        self._kept = {}

    def conv2d(self, x, weight, bias, params):
        kept = self._kept.setdefault((weight.shape, weight.dtype), weight.copy())
        return super().conv2d(x, kept, bias, params)

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        return right._replace(weight=right.weight + right.weight.dtype.type(1))


@pytest.mark.parametrize("most_calls", [200, 3000])
def test_state_explains_no_bug_that_needs_none(most_calls):
    _, failures, findings = campaign(TwoBugs, size=80, most_calls=most_calls, defects=())
    assert {"output", "grad_weight"} <= {f.verdict.quantity for f in findings}
    assert not any("grad_weight" in f.also_affects for f in findings if f.verdict.quantity == "output")
    assert sum(f.failing_cases for f in findings) <= len(failures)


def test_what_only_the_state_oracle_calls_is_not_taken_for_state():
    class ThreeStrides(Forward):
        """Wrong where both strides are above those that are drawn most."""

        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            wrong = Conv2dParams.of(params.arguments).stride in ((2, 3), (3, 2), (4, 4), (2, 5), (4, 2))
            return output + output.dtype.type(1) if wrong else output

    _, _, findings = campaign(ThreeStrides, size=120, defects=())
    assert findings
    assert not any(f.reproduction.state_dependent for f in findings)


def test_a_lost_bias_after_some_calls_is_no_lost_bias():
    others = [d for d in HARMLESS if d.name != "right-while-warming-up"]
    _, _, findings = campaign(defect("right-while-warming-up").backend, size=120, defects=others)
    assert findings
    assert not any(f.diagnosis.known_defects for f in findings)


@pytest.mark.parametrize("name", ["wrong stride", "zero groups"])
def test_what_is_wrongly_accepted_is_told_apart_by_what_is_illegal(name):
    class Lenient(Backend):
        name = "lenient"
        capabilities = Capabilities()

        def conv2d(self, x, weight, bias, params):
            try:
                return Forward().conv2d(x, weight, bias, params)
            except Exception:
                if name == "wrong stride" and params.stride not in ((1, 1), (2, 2)):
                    return x
                raise

    _, _, findings = campaign(Lenient, defects=())
    assert all(f.diagnosis.failure_condition is None for f in findings)
    assert len({f.clause for f in findings}) == len(findings)


class TwoCauses(NumpyBackend):
    """Groups swap the output's channels; a stride spoils the input gradient."""

    capabilities = Capabilities(gradients=True)

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        grouped = Conv2dParams.of(params.arguments).groups > 1
        return np.ascontiguousarray(output[..., ::-1, :, :]) if grouped else output

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        strided = Conv2dParams.of(params.arguments).stride[1] > 1
        return right._replace(input=right.input * np.float32(2)) if strided else right


class ImpreciseAndCrossed(Forward):
    """Operands lose 16 bits, and depthwise layers have their first channel everywhere."""

    def conv2d(self, x, weight, bias, params):
        short = (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        output = super().conv2d(short, weight, bias, params)
        params = Conv2dParams.of(params.arguments)
        if params.groups > 1:
            output = np.ascontiguousarray(np.broadcast_to(output[..., :1, :, :], output.shape))
        return output


def test_what_fails_in_the_same_cases_is_one_finding_whatever_is_known_of_it():
    _, failures, findings = campaign(defect("kernel-flipped").backend, size=60, defects=())
    assert len(findings) == 1
    assert set(findings[0].also_affects) >= {"grad_input", "grad_weight"}
    assert findings[0].failing_cases == len(failures)


def test_what_fails_in_other_cases_is_another_finding():
    _, _, findings = campaign(TwoCauses, size=100, defects=())
    assert [f.verdict.quantity for f in findings] == ["output", "grad_input"]
    rules = [str(f.diagnosis.failure_condition.rule) for f in findings]
    assert "groups" in rules[0]
    assert "stride_w" in rules[1]


def test_integers_too_long_for_what_is_left_of_precision_are_no_other_finding():
    _, failures, findings = campaign(defect("bfloat16-operands").backend, size=100, defects=())
    assert "exact" in {f.verdict.oracle for f in failures}
    (only,) = findings
    assert str(only.diagnosis.failure_condition.rule) == "dtype == 'float32'"


def test_lost_precision_hides_no_wrong_index():
    _, _, findings = campaign(ImpreciseAndCrossed, size=100, defects=())
    assert {f.verdict.oracle for f in findings} == {"bounded", "exact"}
