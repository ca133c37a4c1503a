import pytest
from torch.nn.functional import conv2d

from altered import CASE, judged_function
from convcheck import Capabilities, Status
from convcheck.model.token import read
from convcheck.model.transforms import Transform
from convcheck.oracles import Trial, find
from plugins import wrong_gradients

NAME = "function-transforms"


def with_out(x, weight, bias, stride, padding, dilation, groups, out=None):
    """torch's, and what a function with out= makes of it."""
    output = conv2d(x, weight, bias, stride, padding, dilation, groups)
    return output if out is None else out.copy_(output)


def of(function, *transforms, token=CASE):
    return [v for v in judged_function(function, NAME, token, transforms=transforms) if v.oracle == NAME]


@pytest.mark.parametrize("token", [CASE, "v1,x=3x5x4,out=4,k=2,bias=false", "v1,x=2x2x6x5,out=2,k=3,p=same,d=2"])
def test_torch_goes_through_all_of_them(token):
    found = of(with_out, *Transform, token=token)
    assert {(v.clauses[0], v.status) for v in found} == {(t.clause, Status.PASS) for t in Transform}


@pytest.mark.parametrize("transform", Transform)
def test_a_wrong_rule_fails_under_the_clause_of_its_transform(transform):
    (found,) = of(wrong_gradients.mixes_slices, transform)
    assert (found.status, found.clauses[0]) == (Status.FAIL, transform.clause)


@pytest.mark.parametrize("transform", [Transform.VMAP, Transform.JVP])
def test_a_function_without_a_rule_fails_where_it_declares_one(transform):
    assert [v.status for v in of(wrong_gradients.right, transform)] == [Status.WRONGLY_REFUSED]


def test_a_meta_kernel_that_computes_elsewhere_fails():
    import torch

    def on_the_cpu(x, weight, bias, **layer):
        return conv2d(x, weight, bias, **layer) if x.device.type == "cpu" else torch.zeros(2, 6, 4, 5)

    assert [v.status for v in of(on_the_cpu, Transform.META)] == [Status.WRONGLY_REFUSED]


@pytest.mark.parametrize(
    "within",
    [
        lambda x, w, b, **layer: conv2d(x.double(), w.double(), None if b is None else b.double(), **layer).float(),
        lambda x, w, b, **layer: conv2d(x, w, b, **layer).float(),
        lambda x, w, b, **layer: conv2d(x, w, b, **layer).half(),
    ],
)
def test_a_result_of_another_dtype_within_autocast_fails(within):
    (found,) = of(within, Transform.AUTOCAST)
    assert (found.status, found.clauses[0]) == (Status.FAIL, "C2D-TRANSFORM-4")
    assert "within autocast to bfloat16" in found.reason


def test_operands_rounded_by_hand_or_a_rounded_result_are_legal_within_autocast():
    import torch

    def rounded_at_the_end(x, weight, bias, stride, padding, dilation, groups):
        wide = torch.is_autocast_enabled("cpu")
        with torch.autocast("cpu", enabled=False):
            output = conv2d(x, weight, bias, stride, padding, dilation, groups)
        return output.bfloat16() if wide else output

    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)
    def cast_at_first(x, weight, bias, stride, padding, dilation, groups):
        return conv2d(x, weight, bias, stride, padding, dilation, groups)

    for function in (rounded_at_the_end, cast_at_first):
        assert [v.status for v in of(function, Transform.AUTOCAST)] == [Status.PASS]


def test_autocast_is_asked_of_float32_alone():
    assert not of(conv2d, Transform.AUTOCAST, token=f"{CASE},dtype=float64")


@pytest.mark.parametrize(
    "given_out",
    [
        lambda output, out: output,  # another tensor
        lambda output, out: out,  # nothing is written
        lambda output, out: out.copy_(output).contiguous(),  # a copy, where there are gaps
        lambda output, out: out.copy_(output) if out.is_contiguous() else out.copy_(output) * 1,
    ],
)
def test_out_that_is_not_written_or_not_returned_fails(given_out):
    def function(x, weight, bias, stride, padding, dilation, groups, out=None):
        output = conv2d(x, weight, bias, stride, padding, dilation, groups)
        return output if out is None else given_out(output, out)

    (found,) = of(function, Transform.OUT)
    assert found.status in (Status.FAIL, Status.WRONGLY_REFUSED, Status.UNWRITTEN)


def test_a_function_without_out_fails_where_it_declares_it():
    assert [v.status for v in of(conv2d, Transform.OUT)] == [Status.WRONGLY_REFUSED]


def test_nothing_is_asked_that_is_not_declared():
    assert not find(NAME).calls(Trial(read(CASE), Capabilities(gradients=True, autograd=True)))
    assert not of(wrong_gradients.mixes_slices)
