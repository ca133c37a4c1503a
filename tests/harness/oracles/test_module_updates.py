"""Modules whose parameters change after the first call: kept weights are found, and whatever looks again is right."""

import pytest
import torch

from altered import verdicts
from convcheck import Capabilities, Level, Status
from convcheck.model.calls import Mode
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, extra_calls, find
from convcheck.plugin.module_backend import ModuleBackend
from convcheck.plugin.reference_backend import ReferenceModule
from convcheck_backends import NumpyBackend
from torch_layers import ComputedWeight

NAME = "module-updates"
TOKEN = "v1,x=2x4x6x7,out=6,k=3x2,s=2x1,p=1x0,g=2,entry=module"


class Packing(torch.nn.Conv2d):
    """Keeps a packed weight in evaluation, as long as it takes it for the same."""

    def _conv_forward(self, x, weight, bias):
        if torch.is_grad_enabled():
            return super()._conv_forward(x, weight, bias)
        if self.__dict__.get("key") != self.key_of(weight):
            self.__dict__ |= {"key": self.key_of(weight), "packed": weight.detach().clone()}
        return super()._conv_forward(x, self.__dict__["packed"], bias)


class PackedOnce(Packing):
    def key_of(self, _):
        return "packed"


class PackedByVersion(Packing):
    def key_of(self, weight):
        return weight._version, weight.data_ptr()


class PackedByContents(Packing):
    def key_of(self, weight):
        return weight.detach().numpy().tobytes()


class FirstParameters(torch.nn.Conv2d):
    def _conv_forward(self, x, weight, bias):
        self.__dict__.setdefault("first", (weight, bias))
        return super()._conv_forward(x, *self.__dict__["first"])


class OldBias(torch.nn.Conv2d):
    def _conv_forward(self, x, weight, bias):
        if bias is not None:
            bias = self.__dict__.setdefault("first", bias.detach().clone())
        return super()._conv_forward(x, weight, bias)


class Sharing(torch.nn.Conv2d):
    """Its copies have its weight."""

    def __deepcopy__(self, _):
        found = Sharing(self.in_channels, self.out_channels, self.kernel_size, groups=self.groups)
        found.__dict__ |= {name: self.__dict__[name] for name in ("stride", "padding", "_parameters")}
        return found


class Uncopied(torch.nn.Conv2d):
    def __deepcopy__(self, _):
        raise TypeError("cannot be copied")


def judged(layer, token=TOKEN):
    return verdicts(ModuleBackend(layer, "mine"), token, only=("parity", NAME))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (PackedOnce, "after its parameters were changed in place"),
        (PackedByVersion, "after its parameters were changed through `.data`"),
        (FirstParameters, "after its parameters were replaced"),
        (OldBias, "after its parameters were changed in place"),
        (Sharing, "copied, with the layer, by copy.deepcopy, and those of the original changed"),
    ],
)
def test_what_is_kept_of_parameters_fails_where_they_change_and_the_reason_names_the_way(layer, said):
    (found,) = (v for v in judged(layer) if v.status in FAILURES)
    assert (found.oracle, found.clauses[0]) == (NAME, "C2D-MODULE-8")
    assert said in found.reason
    assert find(NAME).level is Level.STATE


@pytest.mark.parametrize("layer", [torch.nn.Conv2d, PackedByContents, ComputedWeight, Uncopied])
@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN},bias=false"])
def test_who_looks_at_the_parameters_again_passes(layer, token):
    found = judged(layer, token)
    assert not [v for v in found if v.status in FAILURES]
    assert [v.status for v in found if v.oracle == NAME] == [Status.PASS]


class KeepingModule(ReferenceModule):
    def __call__(self, x):
        self.kept = getattr(self, "kept", self.weight.copy())
        return self._backend.conv2d(x, self.kept, self.bias, self._params)


def of_modules(change):
    class Backend(NumpyBackend):
        def make_module(self, **arguments):
            module = super().make_module(**arguments)
            change(module)
            return module

    return Backend()


def keeping(module):
    module.__class__ = KeepingModule


def read_only(module):
    module.weight.flags.writeable = False


def test_arrays_are_changed_as_well_and_what_cannot_be_is_left():
    kept = verdicts(of_modules(keeping), TOKEN, only=(NAME,))
    assert [v.status for v in kept] == [Status.FAIL]
    assert "changed in place" in kept[0].reason
    for backend in (NumpyBackend(), of_modules(read_only)):
        assert [v.status for v in verdicts(backend, TOKEN, only=(NAME,))] == [Status.PASS]


def test_calls_are_made_of_modules_only_and_through_data_where_torch_is():
    def ways(token, **capabilities):
        trial = Trial(read(token), Capabilities(**capabilities))
        return {key.name for key in extra_calls(trial, (find(NAME),))}

    assert ways(TOKEN, module=True) == {Mode.IN_PLACE, Mode.REPLACED, Mode.COPIED}
    assert ways(TOKEN, module=True, gradients=True, autograd=True) == {*ways(TOKEN, module=True), Mode.THROUGH_DATA}
    assert not ways(TOKEN.replace(",entry=module", ""), module=True)
