import subprocess
import sys
from inspect import getsource
from pathlib import Path

import pytest
import torch
from torch.nn.functional import conv2d

from altered import failing, verdicts
from convcheck import Status, capabilities, load, replay
from convcheck.plugin.function_backend import FunctionBackend, SignatureError, declaration_of
from convcheck.plugin.registry_errors import BackendSignatureError
from convcheck.plugin.torch_functions import as_function

PLUGINS = Path(__file__).parents[2] / "plugins"
LIBRARY = torch.library.Library("convcheck_tests", "DEF")
LAYER = "SymInt[] stride, SymInt[] padding, SymInt[] dilation, SymInt groups"
TENSORS = (torch.ones(1, 2, 5, 5), torch.ones(3, 2, 2, 2), None)
SPELLED = {"stride": 2, "padding": (1, 0), "dilation": 1, "groups": 1}


def operator(name, signature, kernel=None):
    LIBRARY.define(f"{name}{signature}")
    if kernel is not None:
        LIBRARY.impl(name, kernel, "CPU")
    return getattr(torch.ops.convcheck_tests, name)


class OldStyle(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, scale=1.0):
        ctx.save_for_backward(x, weight)
        ctx.layer = (stride, padding, dilation, groups)
        return conv2d(x, weight, bias, stride, padding, dilation, groups) * scale

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        given = (torch.nn.grad.conv2d_input(x.shape, weight, grad, *ctx.layer),)
        given += (torch.nn.grad.conv2d_weight(x, weight.shape, grad, *ctx.layer),)
        return (*given, grad.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None, None, None, None, None, None)


class WrongBiasGradient(OldStyle):
    @staticmethod
    def backward(ctx, grad):
        x, weight, bias, *rest = OldStyle.backward(ctx, grad)
        return (x, weight, None if bias is None else bias / 2, *rest)


class NewStyle(torch.autograd.Function):
    @staticmethod
    def forward(x, weight, bias, dilation, padding, stride, groups):
        return conv2d(x, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass


class WithTheRest(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, *layer):
        return conv2d(x, weight, bias, *layer)


@pytest.mark.parametrize("function", [OldStyle, NewStyle, WithTheRest])
def test_apply_gets_its_arguments_by_position(function):
    given = {"stride": (2, 1), "padding": (1, 0), "dilation": 2, "groups": 1}
    assert torch.equal(as_function(function)(*TENSORS, **given), conv2d(*TENSORS, **given))


def test_a_function_is_judged_with_its_own_backward_pass():
    assert not failing(FunctionBackend(as_function(OldStyle), "mine"))
    found = failing(FunctionBackend(as_function(WrongBiasGradient), "mine"))
    assert ("gradients-exact", "grad_bias", Status.FAIL) in found
    assert not {quantity for _, quantity, _ in found} & {"output", "grad_input", "grad_weight"}


def test_a_class_says_what_it_supports():
    declared = capabilities(groups=False, device="cpu")(type("Mine", (NewStyle,), {}))
    assert declaration_of(as_function(declared)).fields == {"groups": False}
    assert not FunctionBackend(as_function(declared), "mine").capabilities.groups


class TakesNoGroups(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, stride, padding, dilation, scale):
        return conv2d(x, weight, bias, stride, padding, dilation) * scale


def test_what_cannot_be_called_as_a_convolution_says_what_it_lacks(tmp_path):
    message = r"TakesNoGroups.forward has the signature \(x, .*; missing: groups; without a default: scale"
    with pytest.raises(SignatureError, match=message):
        as_function(TakesNoGroups)
    (tmp_path / "mine.py").write_text(f"import torch\n{getsource(TakesNoGroups)}")
    with pytest.raises(BackendSignatureError, match="missing: groups"):
        load(f"{tmp_path / 'mine.py'}:TakesNoGroups")
    with pytest.raises(SignatureError, match=r"the operator has the signature convcheck_tests::few.*missing: padding"):
        as_function(operator("few", "(Tensor x, Tensor w, Tensor? b, int[] stride, int groups) -> Tensor"))


def test_an_operator_gets_lists_where_its_schema_asks_for_them():
    listed = operator("listed", f"(Tensor x, Tensor w, Tensor? b, {LAYER}) -> Tensor", conv2d)
    function = as_function(listed)
    assert torch.equal(function(*TENSORS, **SPELLED), conv2d(*TENSORS, **SPELLED))
    backend = FunctionBackend(function, "mine")
    assert not backend.capabilities.string_padding
    for wrong in ({"stride": (1, 1, 1)}, {"stride": 1.5}, {"groups": None}):
        with pytest.raises((RuntimeError, TypeError)):
            function(*TENSORS, **{**SPELLED, **wrong})


@pytest.mark.parametrize("target", [torch.ops.aten.conv2d, torch.ops.aten.conv2d.padding])
def test_an_operator_whose_schema_has_texts_takes_them(target):
    layer = {**SPELLED, "stride": 1, "padding": "same"}
    function = as_function(target)
    assert torch.equal(function(*TENSORS, **layer), conv2d(*TENSORS, **layer))
    assert FunctionBackend(function, "mine").capabilities.string_padding


def test_an_overload_is_an_operator_too():
    function = as_function(torch.ops.aten.conv2d.default)
    assert torch.equal(function(*TENSORS, **SPELLED), conv2d(*TENSORS, **SPELLED))


@pytest.mark.parametrize("wrong", [False, True])
def test_the_fake_kernel_of_an_operator_is_judged_where_meta_is_declared(wrong):
    name = "wrong_fake" if wrong else "right_fake"
    custom = torch.library.custom_op(
        f"convcheck_tests::{name}", conv2d, mutates_args=(),
        schema=f"(Tensor x, Tensor w, Tensor? b, {LAYER}) -> Tensor",
    )  # fmt: skip
    custom.register_fake(lambda *given: conv2d(*given)[..., : -1 if wrong else None])
    capabilities(gradients=False, transforms=("meta",))(custom)
    found = verdicts(FunctionBackend(as_function(custom), "mine"), only=("function-transforms",))
    assert [(v.status, v.clauses[0]) for v in found] == [(Status.FAIL if wrong else Status.PASS, "C2D-TRANSFORM-3")]


def test_everything_else_is_left_as_it_is():
    for target in (conv2d, torch.nn.Conv2d, 7, print):
        assert as_function(target) is target


def test_a_program_hands_an_operator_over_as_it_is():
    assert replay(torch.ops.aten.conv2d, "v1,x=1x2x4x4,out=2,k=2").conforms


@pytest.mark.parametrize("name", ["MyConvFunction", "my_conv"])
def test_the_worked_example_is_judged_from_outside(tmp_path, name):
    token, *options = "v1,x=2x4x5x6,out=6,k=3x2,s=2x1,p=1,g=2", "-b", f"{PLUGINS / 'my_torch_functions.py'}:{name}"
    done = subprocess.run(
        [sys.executable, "-m", "convcheck", "replay", token, *options],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gradients-exact" in done.stdout
