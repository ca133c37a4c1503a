from pathlib import Path

import pytest
import torch

from convcheck import RegistryError, capabilities, load
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, Status
from convcheck.plugin.live import lent
from convcheck_reference import PADDING_MODES, Conv2dParams
from plugins.my_layers import MyConv2d

LAYER = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x2,g=2"
AS_MODULE = f"{LAYER},entry=module"
FILE = Path(__file__).parents[2] / "plugins" / "my_layers.py"


def verdicts(layer, *tokens):
    with lent("<layer>", layer):
        host = InProcessCandidate(lambda: load("<layer>"))
        return [verdict for token in tokens for verdict in judge_case(host, read(token))[0]]


def failing(layer, *tokens):
    return [v for v in verdicts(layer, *tokens) if v.status in FAILURES]


class OfPlainParts(torch.nn.Module):
    """Without padding_mode, dtype and device."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        made = torch.nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.weight, self.bias, self.given = made.weight, made.bias, (stride, padding, dilation, groups)

    def forward(self, x):
        return torch.nn.functional.conv2d(x, self.weight, self.bias, *self.given)


@pytest.mark.parametrize("layer", [torch.nn.Conv2d, MyConv2d, OfPlainParts])
def test_a_right_layer_is_right_as_a_function_with_gradients_and_as_a_module(layer):
    found = verdicts(layer, LAYER, AS_MODULE)
    assert not [v for v in found if v.status in FAILURES]
    passed = {(v.oracle, v.quantity) for v in found if v.status is Status.PASS}
    assert {("exact", "output"), ("gradients-exact", "grad_weight"), ("module", "module")} <= passed


def test_a_file_names_one():
    assert load(f"{FILE}:MyConv2d").capabilities.module


def test_what_its_constructor_does_not_take_is_not_declared():
    with lent("<plain>", OfPlainParts), lent("<mine>", MyConv2d):
        assert load("<plain>").capabilities.padding_modes == ("zeros",)
        assert load("<mine>").capabilities.padding_modes == PADDING_MODES


def test_a_wrong_forward_shows_in_the_function():
    class NoBias(torch.nn.Conv2d):
        def forward(self, x):
            return self._conv_forward(x, self.weight, None)

    assert {v.quantity for v in failing(NoBias, LAYER)} >= {"output"}


def test_a_wrong_gradient_shows():
    class Detached(torch.nn.Conv2d):
        def forward(self, x):
            return self._conv_forward(x, self.weight * 2 - self.weight.detach(), self.bias)

    assert "grad_weight" in {v.quantity for v in failing(Detached, LAYER)}


def test_a_wrong_constructor_shows_in_the_module():
    class Zeros(torch.nn.Conv2d):
        def reset_parameters(self):
            torch.nn.init.zeros_(self.weight)

    assert not failing(Zeros, LAYER)
    assert "module" in {v.oracle for v in failing(Zeros, AS_MODULE)}


def test_what_it_declares_is_what_it_is_asked_for():
    @capabilities(dtypes=("float64",), groups=False)
    class Mine(torch.nn.Conv2d):
        pass

    with lent("<mine>", Mine):
        found = load("<mine>").capabilities
    assert (found.dtypes, found.groups, found.module, found.gradients) == (("float64",), False, True, True)


def test_parameters_that_do_not_fit_are_refused_as_by_load_state_dict():
    with lent("<mine>", torch.nn.Conv2d):
        backend = load("<mine>")
    with pytest.raises(ValueError, match=r"bias of shape \(3,\); the layer has \(2,\)"):
        backend.conv2d(torch.ones(1, 2, 3, 3), torch.ones(2, 2, 1, 1), torch.ones(3), Conv2dParams(2, 2, 1))


def test_another_class_is_no_backend():
    with lent("<int>", int), pytest.raises(RegistryError, match=r"or a torch\.nn\.Module like torch\.nn\.Conv2d"):
        load("<int>")
