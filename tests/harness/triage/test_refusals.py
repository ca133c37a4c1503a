"""What is refused for want of one feature is one finding, which says how that is declared."""

from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities, Gradients, Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.triage.findings import triage
from convcheck.triage.refusals import declaration
from convcheck_backends import NumpyBackend
from stand_ins import REFUSED, failure, probe_of, verdict

SAME, VALID, UNBATCHED = "v1,x=1x3x5x5,out=2,k=3,p=same", "v1,x=1x3x5x5,out=2,k=2,p=valid", "v1,x=3x5x5,out=2,k=2"
STRIDED = "v1,x=1x3x5x5,out=2,k=2,s=2"


class Strict(NumpyBackend):
    """Takes batches and numbers only, and says nothing of it."""

    capabilities = Capabilities(gradients=True)

    def conv2d(self, x, weight, bias, params):
        if x.ndim == 3 or isinstance(params.padding, str) or isinstance(params.arguments.padding, str):
            raise NotImplementedError
        return super().conv2d(x, weight, bias, params)


class FirstImageOnly(Strict):
    """And takes the bias gradient of the first image for that of all."""

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        self.conv2d(x, weight, bias, params)
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        if right[2] is None or x.shape[0] < 2:
            return right
        first = grad_output[0].astype(np.float64).sum(axis=(1, 2)).astype(grad_output.dtype)
        return Gradients(right[0], right[1], first)


def refused(*tokens):
    died = verdict("parity", "call", Status.WRONGLY_REFUSED, ("C2D-ERROR-13",))
    return [failure(token, died, position=at) for at, token in enumerate(tokens)]


def test_refusals_for_want_of_features_are_one_cause_with_the_declaration():
    failures = refused(UNBATCHED, SAME, VALID, STRIDED)
    found = declaration(probe_of(Strict), REFUSED, failures)
    assert {f.case.token for f in found.explains} == {f.case.token for f in failures[:3]}
    words = "it seems not to support 'same' and 'valid' and unbatched inputs: if that is so, declare "
    assert found.diagnosis.declaration == words + "@convcheck.capabilities(string_padding=False, unbatched=False)"
    assert found.diagnosis.failure_condition.exact
    assert found.smallest.reproduced == 3


class Ascending(NumpyBackend):
    """Its images and filters have no negative strides."""

    capabilities = Capabilities(gradients=True)

    def conv2d(self, x, weight, bias, params):
        if any(stride < 0 for t in (x, weight) for stride, size in zip(t.strides, t.shape, strict=True) if size > 1):
            raise ValueError("negative stride")
        return super().conv2d(x, weight, bias, params)


class COrder(NumpyBackend):
    """All of its tensors are in C order."""

    capabilities = Capabilities(gradients=True)

    def conv2d(self, x, weight, bias, params):
        if not all(t is None or t.flags.c_contiguous for t in (x, weight, bias)):
            raise ValueError("not in C order")
        return super().conv2d(x, weight, bias, params)


REVERSED, NHWC, STEPS = (
    f"{STRIDED},layout-{name}" for name in ("weight=reversed_rows", "x=channels_last", "bias=step")
)


@pytest.mark.parametrize(
    ("make", "layouts", "refused_ones", "rule"),
    [
        (Ascending, "convcheck.NON_NEGATIVE_STRIDES", (REVERSED,), "reversed_x or reversed_weight"),
        (COrder, '("contiguous",)', (REVERSED, NHWC, STEPS), None),
    ],
    ids=["no negative strides", "C order only"],
)
def test_refused_layouts_are_one_cause_with_the_declaration(make, layouts, refused_ones, rule):
    failures = refused(STRIDED, *refused_ones)
    found = declaration(probe_of(make), REFUSED, failures)
    assert {f.case.token for f in found.explains} == {f.case.token for f in failures[1:]}
    assert found.diagnosis.declaration.endswith(f"declare @convcheck.capabilities(layouts={layouts})")
    assert found.diagnosis.failure_condition.exact
    if rule is not None:
        assert found.diagnosis.failure_condition.rule.text == rule


def test_a_layout_that_is_taken_is_no_reason_to_declare_one():
    # its images may have no negative strides, but what was refused is a bias
    assert declaration(probe_of(Ascending), REFUSED, refused(f"{STRIDED},layout-bias=reversed")) is None


def test_who_refuses_a_layout_of_gradients_only_lacks_no_layout():
    class Picky(NumpyBackend):
        capabilities = Capabilities(gradients=True)

        def conv2d_backward(self, grad_output, x, weight, bias, params):
            if not grad_output.flags.c_contiguous:
                raise ValueError("not in C order")
            return super().conv2d_backward(grad_output, x, weight, bias, params)

    assert declaration(probe_of(Picky), REFUSED, refused(f"{STRIDED},layout-grad=channels_last")) is None


@pytest.mark.parametrize(
    ("make", "tokens"),
    [(NumpyBackend, (UNBATCHED, SAME)), (Strict, (STRIDED,))],
    ids=["nothing is refused", "nothing of what is refused needs a feature"],
)
def test_other_refusals_are_none(make, tokens):
    assert declaration(probe_of(make), REFUSED, refused(*tokens)) is None


def test_who_refuses_what_an_oracle_asks_besides_lacks_no_feature():
    asked = replace(REFUSED, asked_by="gradients-partial")
    assert declaration(probe_of(Strict), asked, refused(UNBATCHED, SAME)) is None


def test_who_refuses_everything_lacks_no_feature():
    class Broken(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            raise NotImplementedError

    assert declaration(probe_of(Broken), REFUSED, refused(UNBATCHED, SAME)) is None


def test_a_wrong_gradient_is_found_behind_any_number_of_refusals():
    candidate = InProcessCandidate(FirstImageOnly)
    drawn = generate(candidate.capabilities, run_seed=0, block=0, size=120)
    found = triage(candidate, judge_block(candidate, drawn, 0).failures, lambda _: drawn, defects=())
    wrong, *others = found.findings
    assert wrong.verdict.quantity == "grad_bias"
    assert wrong.diagnosis.failure_condition.rule.text == "batch > 1"
    (refusals,) = others
    assert refusals.diagnosis.declaration
