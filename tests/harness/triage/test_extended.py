"""A legal layer that fails is one finding with the extensions that fail for the same reason, and with no others."""

import pytest

from convcheck import Capabilities, Extension, ReferenceBackend
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_block
from convcheck.model.extensions import legal_counterparts
from convcheck.model.token import read
from convcheck.triage.extended import for_legal_causes
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.findings import findings_of
from convcheck_reference import Conv2dParams
from stand_ins import OUTPUT, REFUSED, cause, failures, probe_of

DILATED, PLAIN = "v1,x=1x1x6x6,out=1,k=2,s=2,p=same,d=2", "v1,x=1x1x6x6,out=1,k=2,s=2,p=same"
LEGAL = "v1,x=1x1x6x6,out=1,k=2,p=same,d=2"
RULE = "padding_same and (dilation_h > 1 or dilation_w > 1)"
EXTENDED = FailureSignature("extensions", "output")


class Undilated(ReferenceBackend):
    """'same' with strides, as documented; refused where the kernel is dilated, as one engine does."""

    capabilities = Capabilities(extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING))

    def conv2d(self, x, weight, bias, params):
        if params.arguments.padding == "same" and max(params.dilation) > 1:
            raise NotImplementedError("no dilation with 'same'")
        return super().conv2d(x, weight, bias, Conv2dParams.of(params.arguments))


class Doubled(Undilated):
    """Wrong by a factor wherever the kernel is dilated."""

    def conv2d(self, x, weight, bias, params):
        params = Conv2dParams.of(params.arguments)
        return ReferenceBackend.conv2d(self, x, weight, bias, params) * max(params.dilation)


def test_an_extension_that_is_refused_as_legal_layers_are_is_no_second_finding():
    host = InProcessCandidate(Undilated)
    refused = judge_block(host, [read(DILATED), *(read(LEGAL.replace("6x6", f"6x{w}")) for w in (6, 7))], 0).failures
    (finding,) = findings_of(host, refused, lambda _: (), most_calls=80, defects=())
    assert finding.clause == "C2D-PAD-3"
    assert finding.failing_cases == len(refused)


@pytest.mark.parametrize(
    ("make", "signature", "of_cause"), [(Undilated, REFUSED, REFUSED), (Doubled, EXTENDED, OUTPUT)]
)
def test_what_fails_by_itself_stays_a_finding_of_its_own(make, signature, of_cause):
    dilated, plain = failures(signature, [DILATED, PLAIN])
    assert for_legal_causes(probe_of(make), signature, cause(of_cause, RULE), [dilated, plain]) == [dilated]
    assert for_legal_causes(probe_of(make), signature, cause(of_cause, "groups > 1"), [dilated, plain]) == []
    assert for_legal_causes(probe_of(ReferenceBackend), signature, cause(of_cause, RULE), [dilated]) == []


def test_illegal_cases_that_are_no_extension_are_none_of_a_legal_cause():
    wrong = failures(REFUSED, ["v1,x=1x1x6x6,out=1,k=2,g=0"])
    assert for_legal_causes(probe_of(Undilated), REFUSED, cause(REFUSED), wrong) == []


@pytest.mark.parametrize(
    ("token", "extension", "padding"),
    [
        (DILATED, Extension.SAME_UPPER, {0, "same"}),
        ("v1,x=1x1x6x6,out=1,k=2,p=1x0x2x1", Extension.ASYMMETRIC_PADDING, {0, (1, 2)}),
    ],
)
def test_counterparts_are_legal_and_need_no_extension(token, extension, padding):
    found = legal_counterparts(read(token), extension)
    assert {case.arguments.padding for case in found} == padding
    assert all(case.violation is None for case in found)
