"""Extensions: a backend that computes what it declares passes, and one that computes anything else does not."""

import numpy as np
import pytest

from convcheck import Capabilities, ReferenceBackend, Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block, judge_case
from convcheck.model.extensions import Extension, equivalent
from convcheck.model.levels import Level
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles.levels import level_of
from convcheck_reference import Conv2dParams

TOKENS = {
    Extension.SAME_UPPER: "v1,x=2x2x6x7,out=3,k=3x2,s=2,p=same",
    Extension.SAME_LOWER: "v1,x=2x2x6x7,out=3,k=3x2,s=2,p=same",
    Extension.NEGATIVE_PADDING: "v1,x=2x2x7x6,out=3,k=2,p=-1",
    Extension.ASYMMETRIC_PADDING: "v1,x=2x2x7x6,out=3,k=2,p=1x2x0x3",
    Extension.EMPTY_OUTPUT: "v1,x=2x2x2x6,out=3,k=3",
    Extension.PROMOTED_DTYPES: "v1,x=2x2x7x6,out=3,k=3,p=same,flaw=weight_dtype",
}


class Extended(ReferenceBackend):
    """Computes every extension, each from its documentation."""

    lower = False

    def conv2d(self, x, weight, bias, params):
        x, weight, bias = _promoted(x, weight, bias)
        if params.padding == "same":
            return self._padded(x, weight, bias, params, [self._same(x, params, axis) for axis in (0, 1)])
        (top, bottom), (left, right) = params.padding
        sides = params.arguments.padding
        each = isinstance(sides, tuple) and len(sides) == 4
        if each or min(top, bottom, left, right) < 0 or (top, left) != (bottom, right):
            return self._padded(x, weight, bias, params, params.padding)
        try:
            return super().conv2d(x, weight, bias, params)
        except ValueError:
            sizes = [
                max(0, (i + sum(p) - e) // s + 1)
                for i, p, e, s in zip(x.shape[-2:], params.padding, params.extent, params.stride, strict=True)
            ]
            if min(sizes):
                raise
            return np.zeros((*x.shape[:-3], params.out_channels, *sizes), x.dtype)

    def _same(self, x, params, axis):
        size, stride = x.shape[axis - 2], params.stride[axis]
        total = max(0, (-(-size // stride) - 1) * stride + params.extent[axis] - size)
        halves = [total // 2, total - total // 2]
        return halves[::-1] if self.lower else halves

    def _padded(self, x, weight, bias, params, sides):
        how = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[params.padding_mode]
        wide = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(max(0, a), max(0, b)) for a, b in sides], how)
        (top, bottom), (left, right) = ((max(0, -a), max(0, -b)) for a, b in sides)
        wide = wide[..., top : wide.shape[-2] - bottom, left : wide.shape[-1] - right]
        arguments = params.arguments
        legal = Conv2dParams(
            arguments.in_channels, arguments.out_channels, arguments.kernel_size, arguments.stride, 0,
            arguments.dilation, arguments.groups, arguments.bias,
        )  # fmt: skip
        return super().conv2d(wide, weight, bias, legal)


def _promoted(x, weight, bias):
    dtype = np.promote_types(x.dtype, weight.dtype)
    return x.astype(dtype), weight.astype(dtype), None if bias is None else bias.astype(dtype)


class Lower(Extended):
    lower = True


def of(base, *extensions, **others):
    """A class of candidates that declare extensions."""

    class Declared(base):
        capabilities = Capabilities(dtypes=("float32", "float64"), extensions=extensions, **others)

    return Declared


def verdicts(base, extension, token=None):
    found, _, _ = judge_case(InProcessCandidate(of(base, extension)), read(token or TOKENS[extension]))
    return [v for v in found if extension.clause in v.clauses]


@pytest.mark.parametrize("extension", Extension)
def test_what_computes_an_extension_that_it_declares_passes(extension):
    base = Lower if extension is Extension.SAME_LOWER else Extended
    assert [v.status for v in verdicts(base, extension)] == [Status.PASS]


@pytest.mark.parametrize("extension", Extension)
def test_who_refuses_what_he_declares_fails(extension):
    class Refuses(Extended):
        def conv2d(self, *_):
            raise ValueError("no")

    assert [v.status for v in verdicts(Refuses, extension)] == [Status.WRONGLY_REFUSED]


@pytest.mark.parametrize("extension", Extension)
def test_a_wrong_result_fails(extension):
    class Wrong(Extended):
        def conv2d(self, x, weight, bias, params):
            result = super().conv2d(x, weight, bias, params)
            if not result.size:
                return result[:, 1:]
            result[..., -1, -1] += 1
            return result

    (found,) = verdicts(Wrong, extension)
    assert found.status is Status.FAIL
    assert level_of(read(TOKENS[extension]), found) is Level.COMPUTES


@pytest.mark.parametrize(("base", "extension"), [(Extended, Extension.SAME_LOWER), (Lower, Extension.SAME_UPPER)])
def test_the_odd_pixel_of_padding_is_on_its_side(base, extension):
    (found,) = verdicts(base, extension)
    assert found.status is Status.FAIL
    assert extension in found.reason


def test_the_dtype_of_promoted_results_is_the_wider():
    class Narrow(Extended):
        def conv2d(self, x, weight, bias, params):
            return super().conv2d(x, weight, bias, params).astype(x.dtype)

    (found,) = verdicts(Narrow, Extension.PROMOTED_DTYPES)
    assert "float64" in found.reason


@pytest.mark.parametrize("extension", Extension)
def test_without_a_declaration_refusal_is_due(extension):
    found, _, _ = judge_case(InProcessCandidate(of(Extended)), read(TOKENS[extension]))
    assert {v.status for v in found} & FAILURES == {Status.WRONGLY_ACCEPTED}


def test_what_else_is_illegal_is_not_judged():
    (found,) = verdicts(Extended, Extension.NEGATIVE_PADDING, "v1,x=2x2x2x6,out=3,k=2,p=-1")
    assert found.status is Status.NOT_APPLICABLE
    assert equivalent(read("v1,x=2x2x7x6,out=3,k=3,s=2,p=same,mode=reflect"), Extension.SAME_UPPER) is None


def test_a_run_draws_what_is_declared_and_finds_nothing_wrong_with_what_computes_it():
    declared = tuple(e for e in Extension if e is not Extension.SAME_LOWER)
    candidate = InProcessCandidate(of(Extended, *declared, validates=False))
    cases = [
        case
        for block in range(2)
        for case in generate(candidate.capabilities, run_seed=3, block=block)
        if case.violation is not None
    ]
    tally = judge_block(candidate, cases, 0)
    assert not tally.failures
    assert {c for c, status, _ in tally.counts if status is Status.PASS} == {e.clause for e in declared}


def test_nothing_illegal_is_put_to_who_does_not_validate():
    candidate = InProcessCandidate(of(ReferenceBackend, validates=False))
    assert all(case.violation is None for case in generate(candidate.capabilities, run_seed=0, block=0))
    (found,), _, _ = judge_case(candidate, read("v1,x=1x4x5x5,out=4,k=3,g=3"))
    assert found.status is Status.NOT_APPLICABLE
    assert "does not validate" in found.reason
