"""A promise explains all failures of a finding, or none is named."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from altered import Altered, off_by
from convcheck import Capabilities
from convcheck.evaluation.fast_algorithms import winograd, winograd_weights
from convcheck.evaluation.variant_backends import ProductVariant, TransformVariant
from convcheck.evaluation.variants import variant
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.model.levels import Level
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.oracles import PRECISION, RESULT
from convcheck.triage.diagnosis.promises import explaining_promise, kept
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe
from convcheck_backends import NumpyBackend

OUTPUT, IMPRECISE, TAINT, SPECIAL = (
    FailureSignature(kind, "output") for kind in (RESULT, PRECISION, "taint", "special")
)


def strict(make):
    """The backend with no promise of its own."""
    backend = make()
    backend.capabilities = replace(backend.capabilities, profiles={}, nonfinite=True)
    return backend


def explained(make, signature, dtype="float32", block=0):
    probe = Probe(InProcessCandidate(lambda: strict(make)))
    capabilities = probe.candidate.capabilities
    cases = [
        c
        for c in generate(capabilities, (dtype,), run_seed=5, block=block, size=120)
        if c.violation is None and c.entry == "function"
    ]
    failing = [c for c in cases[:70] if probe.failing(c, signature)]
    assert failing
    found = explaining_promise(probe, signature, failing, cases[70:])
    if found is None:
        return None
    explaining, promised = found
    assert all(kept(probe, promised, signature, case) for case in failing)
    return explaining


class Flushing(NumpyBackend):
    """Takes subnormal inputs for zero, and makes results so."""

    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        def flushed(a):
            return None if a is None else np.where(np.abs(a) < np.finfo(a.dtype).tiny, a.dtype.type(0), a)

        return flushed(super().conv2d(flushed(x), flushed(weight), flushed(bias), params))


class FlushingAndWrong(Flushing):
    """And its last element is off by one wherever there are groups."""

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        return off_by(1)(out) if params.groups > 1 and out.size else out


def test_flushing_is_said_as_a_declaration_to_paste():
    found = explained(Flushing, IMPRECISE)
    assert found.words == "subnormals flushed"
    assert 'profiles={ ("float32", "output"): Profile(flushes_subnormals=True), }' in str(found)
    assert found.fresh > 20
    assert found.level is Level.IEEE


class RoundsTwice(NumpyBackend):
    """The sum is rounded before the bias is added."""

    capabilities = Capabilities(dtypes=("float16",))

    def conv2d(self, x, weight, bias, params):
        before = super().conv2d(x, weight, None, params)
        return before if bias is None else before + bias[:, None, None]


def test_rounding_before_the_bias_is_said():
    found = explained(RoundsTwice, OUTPUT, "float16")
    assert found.words == "bias added after rounding to 16 bit"


@pytest.mark.parametrize(("name", "words"), [("winograd-f4", "Winograd F(4, 3)"), ("tf32", "TF32 operands")])
def test_an_algorithm_is_said(name, words):
    found = explained(variant(name).backend, OUTPUT)
    assert found.words == words
    assert found.level is Level.PRECISION


class SmallLosses(NumpyBackend):
    """Loses a thousandth of the last channel of a group where they are no multiple of 4."""

    def conv2d(self, x, weight, bias, params):
        kept = weight.copy()
        if weight.shape[1] % 4:
            kept[:, -1] *= weight.dtype.type(0.999)
        return super().conv2d(x, kept, bias, params)


def _off_by_one(product, a, b):
    """Leaves out the last of every sum of more than eight products."""
    return product(a[..., :-1], b[..., :-1, :]) if a.shape[-1] > 8 else product(a, b)


def _rounded(a):
    return (a.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)


def _wrong_constant(x, weight, params):
    wrong = weight.copy()
    wrong[..., 1, 1] *= weight.dtype.type(1.002)
    return winograd(x, wrong, params, tile=2)


@pytest.mark.parametrize(
    "make",
    [
        partial(Altered, off_by(1)),
        partial(Altered, lambda a: a * a.dtype.type(1 + 2**-12)),
        FlushingAndWrong,
        partial(TransformVariant, _wrong_constant, partial(winograd_weights, tile=2), suits_winograd, Capabilities()),
        SmallLosses,
        partial(ProductVariant, partial(_off_by_one, np.matmul), Capabilities(), prepare=_rounded),
    ],
    ids=["one element", "scaled", "flushing and wrong", "Winograd constant", "small losses", "TF32 off by one"],
)
def test_no_promise_explains_a_defect(make):
    assert explained(make, OUTPUT) is None


class MultipliesZeros(Flushing):
    """And adds what is not finite times zero to every sum."""

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, weight, bias, params) + (x * np.float32(0)).sum()


def test_what_fails_in_another_way_speaks_against_no_promise():
    assert explained(MultipliesZeros, SPECIAL).words.startswith("NaN where zeros that the kernel adds itself")


def test_no_promise_explains_nan_that_is_lost():
    assert explained(partial(Altered, np.nan_to_num), SPECIAL) is None


def test_what_is_no_result_is_no_matter_of_promises():
    probe = Probe(InProcessCandidate(NumpyBackend))
    assert explaining_promise(probe, FailureSignature("wrongly refused", "call"), [], []) is None
