from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.defects import defect
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import Failure, judge_block
from convcheck.model.diagnosis import Diagnosis, FailureCondition
from convcheck.model.rules import Rule
from convcheck.model.token import read
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import PRECISION, RESULT
from convcheck.triage.causes import ATTEMPTS, Cause, SmallestCase
from convcheck.triage.deduplication import deduplicated
from convcheck.triage.diagnosis.examine import Examination
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.findings import findings_of
from convcheck.triage.priority import in_order
from convcheck.triage.probe import Probe
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams

OUTPUT, IMPRECISE = FailureSignature(RESULT, "output"), FailureSignature(PRECISION, "output")
REFUSED, CRASHED = FailureSignature(str(Status.WRONGLY_REFUSED), "call"), FailureSignature(str(Status.CRASHED), "call")
TOKENS = [f"v1,x=1x4x5x{width},out=4,k=1,s=1x2,g=2" for width in (5, 6, 7, 8)]


def found(make, size=100, **options):
    host = InProcessCandidate(make)
    drawn = generate(host.capabilities, run_seed=0, block=0, size=size)
    failures = judge_block(host, drawn, 0).failures
    return failures, findings_of(host, failures, lambda _: drawn, defects=(), **options)


class Float32(NumpyBackend):
    capabilities = Capabilities(gradients=True)


class TwoCauses(Float32):
    """Groups swap the output's channels; a stride spoils the input gradient."""

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        grouped = Conv2dParams.of(params.arguments).groups > 1
        return np.ascontiguousarray(output[..., ::-1, :, :]) if grouped else output

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        strided = Conv2dParams.of(params.arguments).stride[1] > 1
        return right._replace(input=right.input * np.float32(2)) if strided else right


class ImpreciseAndCrossed(NumpyBackend):
    """Operands lose 16 bits, and depthwise layers have their first channel everywhere."""

    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        short = (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        output = super().conv2d(short, weight, bias, params)
        params = Conv2dParams.of(params.arguments)
        if params.groups > 1:
            output = np.ascontiguousarray(np.broadcast_to(output[..., :1, :, :], output.shape))
        return output


def test_what_fails_in_the_same_cases_is_one_finding_whatever_is_known_of_it():
    failures, findings = found(defect("kernel-flipped").backend, 60)
    assert len(findings) == 1
    assert set(findings[0].also_affects) >= {"grad_input", "grad_weight"}
    assert findings[0].failing_cases == len(failures)


def test_what_fails_in_other_cases_is_another_finding():
    _, findings = found(TwoCauses)
    assert [f.verdict.quantity for f in findings] == ["output", "grad_input"]
    rules = [str(f.diagnosis.failure_condition.rule) for f in findings]
    assert "groups" in rules[0]
    assert "stride_w" in rules[1]


def test_integers_too_long_for_what_is_left_of_precision_are_no_other_finding():
    failures, findings = found(defect("bfloat16-operands").backend)
    assert {f.verdict.oracle for f in failures} >= {"exact", "bounded"}
    (only,) = findings
    assert only.verdict.oracle == "bounded"
    assert str(only.diagnosis.failure_condition.rule) == "dtype == 'float32'"


def test_lost_precision_hides_no_wrong_index():
    _, findings = found(ImpreciseAndCrossed)
    assert {f.verdict.oracle for f in findings} == {"bounded", "exact"}


@pytest.mark.parametrize(
    ("on_reals", "first"), [(0, OUTPUT), (1, OUTPUT), (40, IMPRECISE)], ids=["none", "few", "many"]
)
def test_precision_is_looked_at_first_where_many_cases_are_wrong_on_reals_only(on_reals, first):
    relation, gradient = FailureSignature("metamorphic-flip", "output"), FailureSignature(RESULT, "grad_input")
    by_signature = dict.fromkeys((relation, gradient, OUTPUT, IMPRECISE), ())
    by_signature |= {OUTPUT: range(40), IMPRECISE: range(on_reals)}
    order = in_order(by_signature)
    assert order.index(first) == min(order.index(OUTPUT), order.index(IMPRECISE))
    assert order[-1] == relation


def cause(signature, rule):
    of_call = signature.quantity == "call"
    status = Status(signature.kind) if of_call else Status.FAIL
    verdict = Verdict("parity" if of_call else "exact", signature.quantity, status, ("C2D-ARITH-1",))
    failures = tuple(Failure(0, at, read(token), verdict) for at, token in enumerate(TOKENS))
    smallest = SmallestCase(first=failures[0], case=failures[0].case, verdict=verdict, reproduced=ATTEMPTS)
    condition = FailureCondition(Rule(rule), 1.0, 1.0, 40)
    examination = Examination(Diagnosis(failure_condition=condition))
    return Cause(signature=signature, smallest=smallest, examination=examination, explains=failures)


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        (("groups > 1", "groups > 1 and batch == 0"), 1),
        (("groups > 1 and batch > 1", "stride_w > 1 and batch > 1"), 2),
        (("", "groups > 8"), 2),
        (("groups > 1", "stride_w > 1"), 1),  # each covers all failures of the other
    ],
)
def test_rules_tell_whether_two_causes_are_one(rules, count):
    probe = Probe(InProcessCandidate(Float32))
    assert len(deduplicated(probe, [cause(OUTPUT, rules[0]), cause(REFUSED, rules[1])])) == count


def test_a_crash_is_not_hidden_in_a_wrong_result():
    probe = Probe(InProcessCandidate(Float32))
    crash = replace(cause(CRASHED, "groups > 1 and batch == 0"), explains=())
    assert len(deduplicated(probe, [cause(OUTPUT, "groups > 1"), crash])) == 2
