"""Which promises engines keep, and that no defect is taken for one."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from convcheck import Capabilities, Profile
from convcheck.evaluation.cudnn_like import CudnnLike
from convcheck.evaluation.fast_algorithms import winograd, winograd_weights
from convcheck.evaluation.variant_backends import TransformVariant
from convcheck.evaluation.variants import variant
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.triage.characterization import characterize
from convcheck_backends import NumpyBackend


def promises_of(make, dtype, examples=12):
    return characterize(InProcessCandidate(make), seed=0, examples=examples, dtypes=(dtype,))


def pasted(make, found, dtype):
    """A backend that declares what was printed."""
    backend = make()
    scope = {"Profile": Profile, "Capabilities": Capabilities, "about": backend.capabilities}
    declared = eval(f"dict({found.declaration})", scope)["profiles"]
    values = {
        name: getattr(backend.capabilities, name) for name in ("gradients", "padding_modes", "layouts", "nonfinite")
    }
    backend.capabilities = Capabilities(dtypes=(dtype,), profiles=declared, **values)
    return backend


class Flushing(NumpyBackend):
    """Takes subnormal inputs for zero, and makes results so."""

    def conv2d(self, x, weight, bias, params):
        def flushed(a):
            return None if a is None else np.where(np.abs(a) < np.finfo(a.dtype).tiny, a.dtype.type(0), a)

        return flushed(super().conv2d(flushed(x), flushed(weight), flushed(bias), params))


class SpreadingNaN(NumpyBackend):
    """Multiplies the channels of other groups by zeros."""

    def conv2d(self, x, weight, bias, params):
        zero = np.asarray(x.astype(np.float64) * 0).sum(axis=(-3, -2, -1), keepdims=True).astype(x.dtype)
        return super().conv2d(x, weight, bias, params) + zero


@pytest.mark.parametrize(
    ("make", "dtype", "words"),
    [
        (NumpyBackend, "float32", {}),
        (Flushing, "float32", {"output": "subnormals flushed"}),
        (SpreadingNaN, "float32", {"output": "NaN where zeros that the kernel adds itself meet what is not finite"}),
        (variant("tf32").backend, "float32", dict.fromkeys(("output", "grad_input", "grad_weight"), "TF32 operands")),
        (
            variant("fp16-acc").backend,
            "float16",
            dict.fromkeys(("output", "grad_input", "grad_weight", "grad_bias"), "a 16-bit accumulator"),
        ),
    ],
)
def test_the_tightest_promise_is_found_and_raises_no_alarm_where_it_is_declared(make, dtype, words):
    found = promises_of(make, dtype)
    assert {quantity: said for (_, quantity), said in found.given_up.items()} == words
    assert not found.unexplained
    host = InProcessCandidate(lambda: pasted(make, found, dtype))
    assert not judge_block(host, generate(host.capabilities, run_seed=77, block=0, size=40), 0).failures


def test_what_cudnn_gives_up_is_found_by_quantity():
    found = promises_of(CudnnLike, "float16", examples=60)
    assert found.declaration.splitlines() == [
        "profiles={",
        '    ("float16", "output"): Profile(rounds_before_bias=True, spreads_nan=True, exact=False),',
        '    ("float16", "grad_input"): Profile(repeatable=False, exact=False),',
        '    ("float16", "grad_weight"): Profile(exact=False),',
        "}",
    ]
    assert not found.unexplained
    assert found.judged["float16", "output"] > 80


class LosesLastChannel(CudnnLike):
    """Leaves out the last channel of a group where they are no multiple of 4; only its output is looked at."""

    capabilities = replace(CudnnLike.capabilities, gradients=False)

    def conv2d(self, x, weight, bias, params):
        kept = weight.copy()
        if weight.shape[1] % 4 and weight.shape[1] > 1:
            kept[:, -1] = 0
        return super().conv2d(x, kept, bias, params)


def _wrong_constant(x, weight, params):
    """F(2, 3) with 0.501 in the place of one 1/2 of the filter's transform, as far as one tap shows it."""
    wrong = weight.copy()
    wrong[..., 1, 1] *= weight.dtype.type(1.002)
    return winograd(x, wrong, params, tile=2)


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (LosesLastChannel, "float16"),
        (
            partial(
                TransformVariant, _wrong_constant, partial(winograd_weights, tile=2), suits_winograd, Capabilities()
            ),
            "float32",
        ),
    ],
    ids=["last channel of cuDNN", "Winograd constant"],
)
def test_a_defect_is_explained_by_no_promise(make, dtype):
    found = promises_of(make, dtype, examples=36)
    assert {"exact", "bounded"} & {
        each.verdict.oracle for each in found.unexplained if each.verdict.quantity == "output"
    }
