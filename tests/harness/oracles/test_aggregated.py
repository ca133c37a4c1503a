import numpy as np
import pytest

from altered import failing, verdicts
from convcheck import Capabilities, Status
from convcheck.evaluation.variant_backends import ProductVariant
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.levels import Level
from convcheck.model.profiles import TF32_INPUTS
from convcheck.model.token import read
from convcheck.oracles import Trial, find
from convcheck.oracles.levels import level_of
from convcheck.triage.promise_fitting import Results
from convcheck_backends import NumpyBackend
from imprecise import declaring, same, tf32_kernel, to

ONLY = ("bounded", "gradients-bounded", "aggregated")
LONG = "v1,x=2x192x16x16,out=6,k=1"
LAYERS = (
    "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2",
    "v1,x=3x16x9x8,out=8,k=3,p=1,mode=reflect",
    "v1,x=1x64x5x5,out=1,k=1",
    "v1,x=2x6x11x11,out=6,k=5,d=2,g=6",
    "v1,x=16x8x8,out=4,k=2,s=2",
    LONG,
)


def cut_off(a):
    """Operands cut off after eleven bits, as tensor cores take them."""
    return (np.ascontiguousarray(a).view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)


@pytest.mark.parametrize("prepare", [to("tf32"), cut_off, same], ids=["nearest", "truncated", "float32"])
@pytest.mark.parametrize("layer", LAYERS)
def test_operands_of_tf32_pass_in_any_regime(prepare, layer):
    backend = ProductVariant(np.matmul, declaring(TF32_INPUTS), prepare=prepare)
    for regime in ("reals", "wide", "large", "overflow", "positive", "mixed"):
        for seed in range(3):
            assert not failing(backend, f"{layer},values={regime},seed={seed}", ONLY)


def test_coarser_operands_fail_together_where_each_element_is_within_its_bound():
    found = verdicts(tf32_kernel(to("bfloat16")), LONG, ONLY)
    verdict = next(v for v in found if v.status is Status.FAIL and v.quantity == "output")
    assert verdict.oracle == "aggregated"
    assert "root mean square error of 3,072 elements is" in verdict.reason
    assert "times the largest that tf32 can give" in verdict.reason
    assert verdict.margin > 1
    assert "C2D-ARITH-2" in verdict.clauses
    assert level_of(read(LONG), verdict) is Level.PRECISION
    at = verdict.evidence.index
    assert len(at) == 4
    assert verdict.evidence.total == 3072
    assert 0 < verdict.evidence.wrong < 3072
    assert all(v.margin < 1 for v in found if v.oracle == "bounded")


@pytest.mark.parametrize("quantity", ["output", "grad_input", "grad_weight"])
def test_every_quantity_is_looked_at(quantity):
    class Coarse(NumpyBackend):
        capabilities = Capabilities(gradients=True, profiles={"float32": TF32_INPUTS})

        def conv2d(self, x, weight, bias, params):
            return super().conv2d(*self.operands(x, weight, on="output"), bias, params)

        def conv2d_backward(self, grad_output, x, weight, bias, params):
            of_input = super().conv2d_backward(*self.operands(grad_output, x, weight, on="grad_input"), bias, params)
            of_weight = super().conv2d_backward(*self.operands(grad_output, x, weight, on="grad_weight"), bias, params)
            return of_input._replace(weight=of_weight.weight)

        def operands(self, *arrays, on):
            return (to("bfloat16")(a) if on == quantity else a for a in arrays)

    found = failing(Coarse(), "v1,x=2x160x14x14,out=160,k=1", ("aggregated",))
    assert {(q, s) for _, q, s in found} == {(quantity, Status.FAIL)}


def test_a_promise_of_tf32_does_not_explain_coarser_operands():
    backend, case = tf32_kernel(to("bfloat16")), read(LONG)
    base = Capabilities(gradients=True)
    host = InProcessCandidate(lambda: backend)
    trial = Trial(case, base)
    outcomes = dict(zip(trial.calls, host.call_all(tuple(trial.calls.values())), strict=True))
    results = Results(base, "float32", "output", [trial.with_outcomes(outcomes)], [])
    judged = results.failing[0]
    tf32 = ProductVariant(np.matmul, declaring(TF32_INPUTS), prepare=to("tf32"))
    host = InProcessCandidate(lambda: tf32)
    right = trial.with_outcomes(dict(zip(trial.calls, host.call_all(tuple(trial.calls.values())), strict=True)))
    assert results.contradicts(judged, TF32_INPUTS)
    assert not results.contradicts(right, TF32_INPUTS)


def test_strict_promises_pay_nothing():
    found = judge_case(InProcessCandidate(NumpyBackend), read(LONG), (find("aggregated"),))[0]
    assert not found
