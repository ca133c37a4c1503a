"""Gradients of modules: whichever operands require one, on parameters that the module has drawn."""

import pytest
import torch

from altered import verdicts
from convcheck import Capabilities, Status
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, extra_calls, find
from convcheck.plugin.module_backend import ModuleBackend
from convcheck_backends import NumpyBackend
from convcheck_backends.torch_engine import TorchCpuNative
from torch_layers import ComputedWeight

NAME = "module-gradients"
TOKEN = "v1,x=2x4x6x7,out=6,k=3x2,s=2x1,p=1x0,g=2,entry=module"
TRAINED = Capabilities(module=True, gradients=True, autograd=True)


class Changed(torch.nn.Conv2d):
    """A layer that does something about its own parameters, and not about those of a functional call."""

    def _conv_forward(self, x, weight, bias):
        if weight is dict(self.named_parameters()).get("weight") and isinstance(weight, torch.nn.Parameter):
            x, weight, bias = self.change(x, weight, bias)
        return super()._conv_forward(x, weight, bias)


def halved(tensor):
    """The same values, half the gradient."""
    return tensor / 2 + tensor.detach() / 2


class WrongFirstLayer(Changed):
    def change(self, x, weight, bias):
        return x, weight if x.requires_grad else halved(weight), bias


class WrongFrozenLayer(Changed):
    def change(self, x, weight, bias):
        return x if weight.requires_grad else halved(x), weight, bias


class NoBiasGradient(Changed):
    def change(self, x, weight, bias):
        return x, weight, None if bias is None else bias.detach()


class RecordsNothingOfWhatIsFrozen(Changed):
    def change(self, x, weight, bias):
        return x, weight if weight.requires_grad else weight.detach(), bias


class BiasOfNoOptimizer(torch.nn.Conv2d):
    """Its bias is a buffer."""

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        if self.bias is not None:
            value = self.bias.detach()
            del self.bias
            self.register_buffer("bias", value)


def judged(layer, token=TOKEN):
    return verdicts(ModuleBackend(layer, "mine"), token, only=("parity", NAME))


@pytest.mark.parametrize(
    ("layer", "quantity", "said"),
    [
        (WrongFirstLayer, "grad_weight", "where gradients of weight and bias are asked for"),
        (WrongFrozenLayer, "grad_input", "where gradients of x and bias are asked for"),
        (NoBiasGradient, "grad_bias", "where gradients of x and weight and bias are asked for"),
        (BiasOfNoOptimizer, "grad_bias", "where gradients of x and weight and bias are asked for"),
    ],
)
def test_a_gradient_that_is_wrong_for_some_choice_fails_and_the_reason_names_the_choice(layer, quantity, said):
    (found,) = (v for v in judged(layer) if v.status in FAILURES)
    assert (found.quantity, found.clauses[0]) == (quantity, "C2D-MODULE-7")
    assert said in found.reason


@pytest.mark.parametrize("layer", [torch.nn.Conv2d, RecordsNothingOfWhatIsFrozen])
@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN},bias=false", "v1,x=0x4x6x7,out=6,k=3,entry=module"])
def test_legal_layers_pass(layer, token):
    found = judged(layer, token)
    assert not any(v.status in FAILURES for v in found)
    assert ("grad_input", Status.PASS) in {(v.quantity, v.status) for v in found} or "x=0x" in token


def test_parameters_that_are_computed_from_others_have_no_gradient_to_be_judged():
    assert {v.quantity for v in judged(ComputedWeight)} == {"call", "grad_input", "grad_bias"}
    assert not any(v.status in FAILURES for v in judged(ComputedWeight))


def test_a_backend_is_judged_with_what_it_sets():
    found = verdicts(TorchCpuNative(), TOKEN, only=("parity", NAME))
    assert {v.status for v in found} == {Status.PASS}


def test_every_choice_of_operands_is_a_call_of_a_module_alone():
    trial = Trial(read(TOKEN), TRAINED)
    wanted = [call.wanted for call in extra_calls(trial, [find(NAME)]).values()]
    assert len(set(wanted)) == len(wanted) == 7
    assert len(extra_calls(Trial(read(f"{TOKEN},bias=false"), TRAINED), [find(NAME)])) == 3
    assert not extra_calls(Trial(read(TOKEN.removesuffix(",entry=module")), TRAINED), [find(NAME)])


def test_who_has_no_modules_that_autograd_records_is_not_asked():
    assert not find(NAME).calls(Trial(read(TOKEN), NumpyBackend.capabilities))
