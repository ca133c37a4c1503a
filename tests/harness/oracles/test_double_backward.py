import numpy as np
import pytest
import torch

from altered import CASE, judged_function, off_by
from convcheck import Capabilities, CapabilityError, DoubleGradients, Status, capabilities
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_case
from convcheck.model.calls import Returned
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import ORACLES, Trial, extra_calls
from convcheck.plugin.function_backend import FunctionBackend
from convcheck.plugin.registry import load
from convcheck_backends import NumpyBackend
from convcheck_reference.naive import naive_conv2d, naive_grad_input, naive_grad_weight
from plugins import wrong_gradients

NAME = "double-backward"
ORACLE = [o for o in ORACLES if o.name == "double-backward"]
RESULTS = ("grad_grad_output", "grad_input", "grad_weight")


class Second(NumpyBackend):
    """The reference with its double backward altered after the fact."""

    def __init__(self, change):
        self._change = change

    def conv2d_double_backward(self, *tensors):
        return self._change(super().conv2d_double_backward(*tensors))


def judged(backend, token=CASE):
    return judge_case(InProcessCandidate(lambda: backend), read(token), ORACLE)[0]


def failing(backend, token=CASE):
    return [v for v in judged(backend, token) if v.status in FAILURES]


@pytest.mark.parametrize("result", RESULTS)
def test_one_wrong_element_of_each_result_fails_in_both_regimes(result):
    at = RESULTS.index(result)
    wrong = Second(lambda g: DoubleGradients(*(off_by(1)(a) if i == at else a for i, a in enumerate(g))))
    found = failing(wrong)
    assert len(found) == 2
    assert all(v.clauses[-1] == "C2D-GRAD-7" and v.reason.startswith(result) for v in found)


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g._replace(grad_output=np.zeros_like(g.grad_output)),
        lambda g: g._replace(input=None),
        lambda g: g._replace(weight=g.weight.astype(np.float64)),
        lambda g: g._replace(weight=g.weight[:, :1]),
        lambda g: g._replace(grad_output=g.grad_output.tolist()),
    ],
    ids=["zeros", "none", "dtype", "shape", "list"],
)
def test_a_result_that_says_nothing_never_passes(change):
    assert failing(Second(change))


def test_a_bias_left_out_fails():
    class NoBias(NumpyBackend):
        def conv2d_double_backward(self, ggx, ggw, ggb, *rest):
            return super().conv2d_double_backward(ggx, ggw, None, *rest)

    assert failing(NoBias())
    assert not failing(NoBias(), f"{CASE},bias=false")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64"])
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_the_reference_passes(dtype, mode):
    found = judged(NumpyBackend(), f"v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x1,g=2,mode={mode},dtype={dtype}")
    assert {v.status for v in found if v.quantity == "double_backward"} == {Status.PASS}


def test_results_added_in_the_dtype_pass():
    class Rounding(NumpyBackend):
        """Both convolutions and the bias, each rounded, then added one by one."""

        def conv2d_double_backward(self, ggx, ggw, ggb, grad_output, x, weight, bias, params):
            exact = super().conv2d_double_backward(ggx, ggw, ggb, grad_output, x, weight, bias, params)
            total = self.conv2d(ggx, weight, None, params) + self.conv2d(x, ggw, None, params)
            return exact._replace(grad_output=total + ggb[:, None, None])

    for dtype in ("float16", "bfloat16", "float32"):
        for seed in range(10):
            assert not failing(Rounding(), f"v1,x=2x8x6x5,out=4,k=3,dtype={dtype},seed={seed}")


def test_the_loops_of_the_naive_formulation_agree():
    class Naive(NumpyBackend):
        def conv2d_double_backward(self, ggx, ggw, ggb, grad_output, x, weight, bias, params):
            wide = [None if a is None else a.astype(np.int64) for a in (ggx, ggw, ggb, grad_output, x, weight)]
            ggx, ggw, ggb, grad_output, x, weight = wide
            outer = naive_conv2d(ggx, weight, ggb, params) + naive_conv2d(x, ggw, None, params)
            results = (outer, naive_grad_input(grad_output, ggw, params, x.shape))
            results += (naive_grad_weight(grad_output, ggx, params),)
            return DoubleGradients(*(a.astype(np.float32) for a in results))

    # its integer arithmetic is right for integers only
    found = judged(Naive(), "v1,x=2x4x5x4,out=2,k=2x3,s=2x1,p=1,d=1x1,g=2,mode=reflect")
    assert [v.status for v in found if v.margin is None and v.quantity == "double_backward"] == [Status.PASS] * 3


@pytest.mark.parametrize("backend", ["torch-cpu", "torch-cpu-native"])
def test_torch_passes(backend):
    host = InProcessCandidate(lambda: load(backend))
    drawn = [c for c in generate(host.capabilities, run_seed=3, block=1, size=90) if c.violation is None]
    # the 16-bit forward kernels of some processors drop rows, which shows here as well (known_failures)
    drawn = [c for c in drawn if c.dtype in ("float32", "float64")]
    found = [v for case in drawn for v in judge_case(host, case, ORACLE)[0]]
    assert not [v for v in found if v.status in FAILURES]
    assert sum(v.status is Status.PASS for v in found) > 100


def test_torch_takes_an_empty_batch():
    found = judged(load("torch-cpu"), "v1,x=0x4x7x6,out=6,k=3x2,p=1x0,g=2")
    assert found
    assert not [v for v in found if v.status in FAILURES]


def test_a_function_on_torch_tensors_is_differentiated_twice():
    class Once(torch.autograd.Function):
        """Right gradients, whose own gradients are wrong: the second derivative of a constant."""

        @staticmethod
        def forward(context, weight):
            return weight.clone()

        @staticmethod
        def backward(context, grad):
            return grad.detach() + 0 * grad

    def right(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)

    def wrong(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return right(x, Once.apply(weight), bias, stride, padding, dilation, groups)

    declare = capabilities(arrays="torch", double_backward=True)
    assert not failing(FunctionBackend(declare(right), "right"))
    assert failing(FunctionBackend(declare(wrong), "wrong"))


def test_functions_on_torch_tensors_are_tried_unless_they_declare_it():
    declare = {"double_backward": True}
    (tried,) = {(v.status, v.reason) for v in judged_function(wrong_gradients.right, NAME) if v.oracle == NAME}
    assert tried[0] is Status.NOT_APPLICABLE
    assert tried[1].startswith("gradients of gradients are not declared, and asking for them raises RuntimeError")
    declared = {v.status for v in judged_function(wrong_gradients.right, NAME, **declare) if v.oracle == NAME}
    assert declared == {Status.WRONGLY_REFUSED}
    assert {v.status for v in judged_function(torch.nn.functional.conv2d, NAME)} == {Status.PASS}
    lost = [v for v in judged_function(wrong_gradients.second_gradients_lost, NAME) if v.status in FAILURES]
    assert lost
    assert {v.clauses[-1] for v in lost} == {"C2D-GRAD-7"}


def test_nothing_is_asked_of_a_backend_that_does_not_declare_it():
    trial = Trial(read(CASE), Capabilities(gradients=True))
    assert not extra_calls(trial, ORACLE)


@pytest.mark.parametrize(
    ("declared", "method"),
    [
        ("double_backward=True", "conv2d_double_backward"),
        ("gradients=True", "conv2d_backward"),
        ("partial_gradients=True", "conv2d_partial_backward"),
        ("autograd=True", "recorded"),
        ("transforms=('vmap',)", "recorded"),
    ],
)
def test_what_is_declared_has_to_be_there(tmp_path, declared, method):
    path = tmp_path / "claims.py"
    path.write_text(
        "import convcheck\n"
        "class Claims(convcheck.Backend):\n"
        "    name = 'claims'\n"
        f"    capabilities = convcheck.Capabilities({declared})\n"
        "    def conv2d(self, x, weight, bias, params): return x\n"
    )
    with pytest.raises(CapabilityError, match=f"write {method}"):
        load(f"{path}:Claims")


def test_the_host_names_the_three_results():
    host = InProcessCandidate(NumpyBackend)
    trial = Trial(read(CASE), host.capabilities)
    outcomes = [host.call(call) for call in extra_calls(trial, ORACLE).values()]
    assert [set(o.arrays) for o in outcomes if isinstance(o, Returned)] == [set(RESULTS)] * 2
