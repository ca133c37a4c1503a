from dataclasses import fields

import pytest

from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.strategies.draws import from_key
from convcheck.strategies.neighbours import SEEDS, first_layer, rearranged, resized, traded, with_other_bias

ALL = Capabilities(dtypes=("float32", "float64", "float16"), gradients=True, module=True)
LAYERS = [
    "v1,x=2x6x7x9,out=6,k=3,p=1,g=3",
    "v1,x=6x7x9,out=6,k=3x2,p=same,d=2",
    "v1,x=1x1x1x1,out=1,k=1",
    "v1,x=1x2x4x5,out=4,k=3,s=2,p=3x2,mode=reflect",
]
ARGUMENTS = ("stride", "padding", "dilation", "kernel_size", "groups", "padding_mode", "out_channels")


def draws(key, times=60):
    return [from_key(f"{key} {number}") for number in range(times)]


def test_first_layers_are_legal_functions_that_are_supported():
    cases = [first_layer(draw, ALL, ("float16", "float32")) for draw in draws("first", 200)]
    assert all(c.violation is None and c.entry == "function" and ALL.unsupported(c) is None for c in cases)
    assert {c.dtype for c in cases} == {"float16", "float32"}
    assert all(c.batch > 0 and 0 <= c.seed <= SEEDS for c in cases)
    assert len({c.token for c in cases}) > 150


@pytest.mark.parametrize("token", LAYERS)
@pytest.mark.parametrize(
    "near", [resized, traded, lambda *a: rearranged(*a, ARGUMENTS)], ids=["size", "share", "argument"]
)
def test_neighbours_are_legal_and_supported(token, near):
    case = read(token)
    zeros = Capabilities(padding_modes=("zeros", case.arguments.padding_mode), groups=True)
    found = [near(draw, zeros, case) for draw in draws("near")]
    assert all(c.violation is None and zeros.unsupported(c) is None and 0 not in c.input_shape for c in found)
    # a single pixel has no share to trade
    assert len({c.token for c in found}) > 1 or (near is traded and case.input_shape[-1] == 1)


@pytest.mark.parametrize("token", LAYERS)
@pytest.mark.parametrize("name", ARGUMENTS)
def test_exactly_one_argument_changes(token, name):
    case = read(token)
    for draw in draws(name, 20):
        other = rearranged(draw, ALL, case, (name,))
        assert other.input_shape == case.input_shape
        changed = [
            f.name
            for f in fields(case.arguments)
            if getattr(case.arguments, f.name) != getattr(other.arguments, f.name)
        ]
        assert changed in ([name], [])


def test_where_an_argument_has_no_other_legal_value_the_next_one_changes():
    case = read("v1,x=1x1x1x1,out=1,k=1,p=same,d=3")
    assert rearranged(lambda low, _: low, ALL, case, ("groups",)) is case
    assert rearranged(lambda low, _: low, ALL, case, ("groups", "dilation")).arguments.dilation != 3


def test_a_traded_share_of_padding_keeps_the_padded_size():
    case = read("v1,x=2x3x8x9,out=2,k=3,p=2x1")
    found = {traded(draw, ALL, case) for draw in draws("share")}
    assert len(found) > 3
    for other in found:
        (top, _), (left, _) = other.params.padding
        assert (other.input_shape[2] + 2 * top, other.input_shape[3] + 2 * left) == (12, 11)
        assert other != case


def test_only_the_bias_comes_or_goes():
    case = read("v1,x=1x1x1x1,out=1,k=1,bias=false")
    assert with_other_bias(case) == read("v1,x=1x1x1x1,out=1,k=1")
    assert with_other_bias(with_other_bias(case)) == case
