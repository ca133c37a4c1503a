import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from convcheck import LAYOUTS, Capabilities, CapabilityError, SignatureError, UnavailableError, capabilities
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, Status
from convcheck.plugin.function_backend import FunctionBackend
from convcheck_reference import PADDING_MODES, Conv2dParams

X, WEIGHT = np.ones((1, 2, 3, 3), np.float32), np.ones((2, 1, 1, 1), np.float32)


def spelled(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return stride, padding, dilation, groups


def with_mode(x, weight, bias, stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros"):
    return stride, padding, dilation, groups, padding_mode


def any_keyword(x, weight, bias=None, **keywords):
    return keywords


@capabilities(arrays="torch")
def on_torch(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


def conv_on_torch(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


def called(function, **arguments):
    layer = Conv2dParams(2, 2, 1, **arguments)
    return FunctionBackend(function, "f").conv2d(X, WEIGHT, None, layer)


def test_the_spelling_of_the_caller_arrives():
    assert called(spelled, padding="same", dilation=(1, 2), groups=2) == (1, "same", (1, 2), 2)
    assert called(spelled, stride=(2, 1), padding=1) == ((2, 1), 1, 1, 1)


def test_the_padding_mode_arrives_where_the_function_takes_it():
    assert called(with_mode, padding=1, padding_mode="circular")[-1] == "circular"
    assert FunctionBackend(with_mode, "f").capabilities.padding_modes == PADDING_MODES
    assert FunctionBackend(spelled, "f").capabilities.padding_modes == ("zeros",)
    assert set(called(any_keyword)) == {"stride", "padding", "dilation", "groups"}


def test_what_is_declared_is_what_it_supports_and_the_rest_is_the_default():
    @capabilities(arrays="numpy", dtypes=("float64",), groups=False, padding_modes=("zeros", "reflect"))
    def declared(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return x

    found = FunctionBackend(declared, "f").capabilities
    assert found == replace(
        Capabilities(), dtypes=("float64",), groups=False, padding_modes=("zeros", "reflect"), gradients=False
    )


def test_a_function_of_torch_tensors_has_gradients_and_no_reversed_layout():
    found = FunctionBackend(on_torch, "f").capabilities
    assert found.gradients
    assert {layout.partition("_")[0] for layout in set(LAYOUTS) - set(found.layouts)} == {"reversed"}


def test_what_it_takes_is_tried_and_its_module_does_not_decide():
    for line, body, gradients in (
        ("import torch", "torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)", True),
        ("from torch.nn import functional", "functional.conv2d(x, weight, bias, padding=1)", True),
        ("import torch, numpy", "numpy.zeros((1, 8, 6, 6), x.dtype)", False),
        ("import numpy", "numpy.zeros((1, 8, 6, 6), x.dtype)", False),
        ("", "__import__('torch').conv2d(x, weight, bias, padding=1)", True),
    ):
        module = {}
        exec(f"{line}\ndef conv(x, weight, bias, stride, padding, dilation, groups): return {body}", module)
        assert FunctionBackend(module["conv"], "f").capabilities.gradients is gradients, line


def test_a_partial_function_is_what_its_function_declares():
    backend = FunctionBackend(partial(on_torch, groups=1), "f")
    assert backend.capabilities.gradients
    declared = capabilities(arrays="torch", device="cpu", groups=False)(conv_on_torch)
    assert not FunctionBackend(partial(partial(declared)), "f").capabilities.groups
    del conv_on_torch.__convcheck_capabilities__


def test_the_gradients_are_those_of_the_function():
    backend = FunctionBackend(on_torch, "f")
    layer = Conv2dParams(2, 2, 1, groups=2)
    x, weight, bias = (backend.to_native(a) for a in (X, WEIGHT, np.zeros(2, np.float32)))
    grad = torch.arange(18.0).reshape(1, 2, 3, 3)
    gradients = [backend.to_numpy(g) for g in backend.conv2d_backward(grad, x, weight, bias, layer)]
    assert [g.tolist() for g in gradients] == [grad.tolist(), [[[[36.0]]], [[[117.0]]]], [36.0, 117.0]]
    second = backend.conv2d_double_backward(x, weight * 2, bias, grad, x, weight, bias, layer)
    # ⟨x, gx⟩ + ⟨2·weight, gw⟩, where gx = grad·weight and gw = Σ grad·x
    assert [backend.to_numpy(g).tolist() for g in second] == [
        [[[[3.0] * 3] * 3] * 2],
        (2 * grad).tolist(),
        [[[[36.0]]], [[[117.0]]]],
    ]


@pytest.mark.parametrize(
    ("backend", "result", "message"),
    [(spelled, torch.zeros(1), "expected a numpy.ndarray"), (on_torch, np.zeros(1), "expected a torch.Tensor")],
    ids=["numpy", "torch"],
)
def test_a_result_of_the_other_kind_is_refused(backend, result, message):
    @capabilities(arrays="torch" if backend is on_torch else "numpy")
    def function(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return x

    with pytest.raises(TypeError, match=message):
        FunctionBackend(function, "f").to_numpy(result)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, weight, bias, stride, padding: x, "missing: dilation, groups"),
        (lambda x, *, stride, padding, dilation, groups: x, "the signature is"),
    ],
)
def test_a_function_that_cannot_be_called_as_a_convolution_is_refused(function, message):
    with pytest.raises(SignatureError, match=message):
        FunctionBackend(function, "f")


def test_a_wrong_declaration_is_refused_where_it_stands():
    with pytest.raises(CapabilityError, match="expected 'numpy', 'torch', or the name of a package"):
        capabilities(arrays=np)
    with pytest.raises(CapabilityError, match="declare what the function takes: arrays='torch'"):
        capabilities(arrays="numpy", device="cuda")
    with pytest.raises(CapabilityError, match="device='meta': arrays there hold no values"):
        capabilities(device="meta")
    with pytest.raises(CapabilityError, match="declare device='cuda'"):
        capabilities(arrays="cupy")
    with pytest.raises(CapabilityError, match="expected a name such as"):
        capabilities(device=torch.device("cpu"))
    with pytest.raises(CapabilityError, match="float8"):
        capabilities(dtypes=("float8",))
    with pytest.raises(TypeError, match="grouped"):
        capabilities(grouped=False)


def test_each_backend_has_the_name_that_it_is_given():
    one, other = FunctionBackend(spelled, "one"), FunctionBackend(spelled, "other")
    assert (one.name, other.name) == ("one", "other")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_on_a_device_lie_tensors_of_torch_unless_something_else_is_declared():
    @capabilities(device="cuda")
    def function(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        raise AssertionError("it is not called")

    with pytest.raises(UnavailableError, match="no CUDA device"):
        FunctionBackend(function, "f")


@pytest.mark.parametrize("declared", ["gradients", "double_backward"])
def test_gradients_of_other_arrays_than_torch_s_are_for_a_class(declared):
    function = capabilities(arrays="numpy", **{declared: True})(spelled)
    with pytest.raises(CapabilityError, match=r"subclass convcheck.Backend and write conv2d_backward"):
        FunctionBackend(function, "f")
    del function.__convcheck_capabilities__


def test_a_device_of_torch_goes_the_same_way_as_the_cpu():
    function = capabilities(arrays="torch", device="cpu:0", padding_modes=("zeros",))(conv_on_torch)
    backend = FunctionBackend(function, "f")
    verdicts, *_ = judge_case(InProcessCandidate(lambda: backend), read("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x2,g=2"))
    assert not [v for v in verdicts if v.status in FAILURES]
    assert any(v.status is Status.PASS and v.quantity == "grad_weight" for v in verdicts)
    assert backend.versions() == {"torch": torch.__version__}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_an_absent_device_is_said_to_be_absent():
    function = capabilities(arrays="torch", device="cuda:1")(conv_on_torch)
    with pytest.raises(UnavailableError, match=f"no CUDA device: torch {re.escape(torch.__version__)} sees none"):
        FunctionBackend(function, "f")
