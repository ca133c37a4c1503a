import ast

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from convcheck import Capabilities
from convcheck.explanation.explaining import explain
from convcheck.explanation.reading import parse_layer
from convcheck.strategies import cases
from convcheck_reference import Arguments
from convcheck_reference.errors import ConvcheckError, ParameterTypeError, SizeOverflowError
from mangled import mangled

LAYER = parse_layer("Conv2d(8, 12, (3, 5), stride=2, padding=(1, 2), dilation=(2, 1), groups=4)")


@settings(deadline=None)
@given(cases(Capabilities(dtypes=("float32",))))
def test_a_layer_is_read_as_it_is_printed(case):
    assert parse_layer(str(case.arguments)) == case.arguments


@pytest.mark.parametrize("text", ["Conv2d(3, 10, 5)", " Conv2d(3, 10, kernel_size=5)\n", "torch.nn.Conv2d(3, 10, 5)"])
def test_a_layer_may_be_spelled_as_in_a_program(text):
    assert parse_layer(text) == Arguments(3, 10, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Conv2d", "no call of Conv2d"),
        ("Linear(3, 10, 5)", "no call of Conv2d"),
        ("Conv2d(3, 10, {[]: 1})", "cannot be read: unhashable"),
        ("(" * 3000, "cannot be read"),
        ("Conv2d(" + "-" * 3000 + "1, 1, 1)", "cannot be read"),
        ("Conv2d(3, 10, 5" + " " * 5000 + ")", "a layer of 5,016 characters"),
        ("Conv2d(3, 10, 5)\0", "cannot be read: .*null"),
        ("Conv2d(3, 10, 5", "cannot be read"),
        ("Conv2d(3, 10, size)", "cannot be read"),
        ("Conv2d(3, 10, 5, padding=print())", "cannot be read"),
        ("Conv2d(3, 10, 5, *(1, 2))", "cannot be read"),
        ("Conv2d(3, 10, 5, **{'stride': 2})", "no argument of Conv2d"),
        ("Conv2d(3, 10, 5, strides=2)", "'strides' is no argument of Conv2d"),
        ("Conv2d(3)", "missing"),
        ("Conv2d(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", "takes from|takes"),
        ("", "cannot be read"),
    ],
)
def test_what_is_no_layer_says_why_and_runs_nothing(text, message, capsys):
    with pytest.raises(ParameterTypeError, match=message):
        parse_layer(text)
    assert capsys.readouterr().out == ""


def test_the_facts_are_those_of_torch():
    module = torch.nn.Conv2d(8, 12, (3, 5), stride=2, padding=(1, 2), dilation=(2, 1), groups=4)
    found = explain(LAYER, (2, 8, 20, 30))
    output = tuple(module(torch.zeros(2, 8, 20, 30)).shape)
    assert found.legal
    assert found.facts["weight_shape"] == tuple(module.weight.shape)
    assert found.facts["parameters"] == sum(p.numel() for p in module.parameters())
    assert found.facts["output_shape"] == output
    assert found.facts["activations"] == np.prod(output)
    assert found.facts["multiply_adds"] == np.prod(output) * module.weight[0].numel()
    assert (found.facts["filters"], found.facts["receptive_field"]) == (12, (5, 5))


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("in_channels", "8 channels come in; each filter reads 2 of them"),
        ("stride", "2 × 2 pixels apart"),
        ("padding", "1 above, 1 below, 2 left, 2 right, mode zeros"),
        ("dilation", "2 × 1 pixels apart, so a window spans 5 × 5 pixels"),
        ("groups", "4 blocks of 2 inputs and 3 outputs"),
        ("initialisation", "±1/√30 = ±0.1826"),
    ],
)
def test_every_parameter_is_explained_for_this_layer(argument, sentence):
    assert sentence in explain(LAYER).meaning[argument]


def test_same_says_where_the_extra_pixel_goes():
    assert explain(parse_layer("Conv2d(1, 1, 4, padding='same')")).meaning["padding"].startswith("1 above, 2 below")


def test_without_bias_there_is_one_parameter_less_a_filter():
    found = explain(parse_layer("Conv2d(3, 10, 5, bias=False)"))
    assert (found.facts["parameters"], found.facts["bias_shape"], found.meaning["bias"]) == (750, None, "none")


def test_without_an_input_nothing_is_said_of_the_output():
    assert "output_shape" not in explain(LAYER).facts


def test_an_illegal_layer_has_no_facts_and_a_reason():
    found = explain(parse_layer("Conv2d(3, 10, 5, stride=0)"))
    assert not found.legal
    assert "stride" in found.error
    assert (found.facts, found.meaning) == ({}, {})


def test_an_input_that_does_not_fit_leaves_the_layer_explained():
    found = explain(LAYER, (1, 8, 1, 1))
    assert not found.legal
    assert "larger input" in found.error
    assert found.facts["weight_shape"] == (12, 2, 3, 5)
    assert "output_shape" not in found.facts


def test_a_number_that_is_no_size_is_refused():
    with pytest.raises(SizeOverflowError, match="a number of 13288 bits is no size"):
        parse_layer(f"Conv2d(3, 10, 5, padding={'9' * 4000})")


@settings(max_examples=150, deadline=None)
@given(mangled("Conv2d(3, 10, kernel_size=(5, 3), padding='same')", "Conv2d(4, 4, 1, (2, 1), groups=2, bias=False)"))
def test_any_text_is_explained_or_refused(text):
    try:
        layer = parse_layer(text)
    except ConvcheckError:
        return
    found = explain(layer, (2, 3, 8, 8))
    assert found.legal is not bool(found.error)


def test_same_with_a_stride_says_why_not_and_what_to_write_instead():
    found = explain(parse_layer("Conv2d(3, 4, 3, stride=2, dilation=2, padding='same')"))
    assert not found.legal
    assert "windows start s pixels apart" in found.meaning["why"]
    padding = ast.literal_eval(found.meaning["instead"].partition("padding=")[2])
    module = torch.nn.Conv2d(3, 4, 3, stride=2, dilation=2, padding=padding)
    assert module(torch.zeros(1, 3, 9, 10)).shape[-2:] == (5, 5)


def test_same_with_a_stride_and_an_even_kernel_pads_the_input_first():
    found = explain(parse_layer("Conv2d(3, 4, (4, 3), stride=2, padding='same')"))
    padding = ast.literal_eval(found.meaning["instead"].partition("pad(x, ")[2][:-1])
    padded = torch.nn.functional.pad(torch.zeros(1, 3, 9, 10), padding)
    assert torch.nn.Conv2d(3, 4, (4, 3), stride=2)(padded).shape[-2:] == (5, 5)


def test_what_is_wrong_besides_same_leaves_the_reason():
    found = explain(Arguments(2**62, 2**62, 2**40, stride=2, padding="same"))
    assert set(found.meaning) == {"why"}


@pytest.mark.parametrize(
    ("layer", "name", "words"),
    [
        ("Conv2d(4, 6, 3, groups=2)", "weight", "(6, 2, 3, 3) = (out, in / groups, kernel height, kernel width); without"),
        ("Conv2d(4, 6, 3, groups=2)", "who reads what", "group 1: filters 3–5 read channels 2–3"),
        ("Conv2d(3, 10, 5)", "parameters", "760 = 10 · 3 · 5 · 5 weights + 10 biases"),
        ("Conv2d(3, 10, 5, bias=False)", "parameters", "750 = 10 · 3 · 5 · 5 weights"),
        ("Conv2d(1, 1, 3, padding=1, padding_mode='reflect')", "padding reads", "its edge pixel, which is not repeated; a row reads 1 [0 1 2] 1"),
        ("Conv2d(1, 1, 3, padding=(1, 0), padding_mode='circular')", "padding reads", "a column reads 2 [0 1 2] 0"),
        ("Conv2d(1, 1, 3, padding='same')", "'same'", "which takes stride 1"),
        ("Conv2d(1, 1, 2, stride=3)", "receptive field", "between windows 1 rows and 1 columns are never read"),
    ],
)  # fmt: skip
def test_what_people_ask_is_answered(layer, name, words):
    assert words in explain(parse_layer(layer)).meaning[name]


def test_work_and_memory_are_counted():
    found = explain(parse_layer("Conv2d(3, 10, 5)"), (2, 3, 28, 29), "float64")
    assert found.facts["multiply_adds"] == 2 * 10 * 24 * 25 * 75
    assert found.facts["bytes"] == {
        "input": 8 * 2 * 3 * 28 * 29,
        "weight": 8 * 750,
        "bias": 80,
        "output": 8 * 2 * 10 * 24 * 25,
        "im2col": 8 * 75 * 24 * 25,
    }
    assert "float64: input 38.1 KiB" in found.meaning["memory"]
    assert found.meaning["output size"].startswith("down ⌊(28 + 0 + 0 − 1·(5 − 1) − 1) / 1⌋ + 1 = 24")


def test_pixels_that_nothing_reads_are_named():
    assert (
        "1 padded rows at the bottom and 0 columns"
        in explain(parse_layer("Conv2d(1, 1, 2, stride=2)"), (1, 1, 5, 4)).meaning["left over"]
    )
