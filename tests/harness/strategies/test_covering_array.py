from itertools import combinations

import numpy as np
import pytest

from convcheck import Capabilities, Case
from convcheck.strategies.cases import KINDS, free_case, regimes
from convcheck.strategies.covering_array import ROWS, CoveringArray, covering_array, feasible, measure
from convcheck.strategies.draws import from_key
from convcheck.strategies.parameter_model import FACTORS, Space, classify, level
from convcheck.strategies.steered import steered
from convcheck_reference import Arguments

CAPABILITIES = Capabilities(dtypes=("float32", "bfloat16", "complex64"), gradients=True, module=True)
SPACE = Space.of(CAPABILITIES)


def named(case):
    return {name: classes[at] for (name, classes), at in zip(FACTORS, classify(case), strict=True)}


def test_the_classes_of_a_layer_are_those_a_reader_names():
    layer = Arguments(6, 12, (3, 1), (2, 3), (1, 1), (1, 2), 6, bias=False, padding_mode="reflect")
    layouts = ("contiguous", "sliced", "contiguous")
    classes = named(Case(layer, (2, 6, 8, 2), dtype="complex64", layouts=layouts))
    assert classes == {
        "kernel, height": "odd", "stride, height": "2, up to the kernel", "dilation, height": "1",
        "padding, height": "below the extent", "output, height": "2 to 7", "left over, height": "yes",
        "extent above the image, height": "no",
        "kernel, width": "1", "stride, width": "above the kernel", "dilation, width": "2 or more",
        "padding, width": "the extent or more", "output, width": "2 to 7", "left over, width": "no",
        "extent above the image, width": "no",
        "padding spelled": "numbers", "padding_mode": "reflect", "groups": "depthwise with multiplier",
        "in_channels": "2 to 7", "out_channels": "above 8, with a remainder", "bias": "no", "batch": "2 to 7",
        "layout": "mixed", "dtype": "complex",
    }  # fmt: skip


def test_same_and_unbatched_and_one_window():
    classes = named(Case(Arguments(8, 1, (4, 5), 1, "same", (1, 3)), (8, 1, 9)))
    assert classes["padding spelled"] == "same"
    assert classes["batch"] == "unbatched"
    assert (classes["output, height"], classes["output, width"]) == ("1", "8 or more")
    assert (classes["extent above the image, height"], classes["extent above the image, width"]) == ("yes", "yes")
    assert (classes["in_channels"], classes["out_channels"]) == ("a multiple of 8", "1")


@pytest.fixture(scope="module")
def rows():
    return tuple(map(covering_array(SPACE, 0).row, range(ROWS)))


def test_a_steered_case_is_in_the_classes_of_its_row(rows):
    for number, row in enumerate(rows):
        case = steered(from_key(str(number)), SPACE, row, regimes(CAPABILITIES))
        assert classify(case) == row
        assert CAPABILITIES.unsupported(case) is None


def test_the_rows_take_every_feasible_triple(rows):
    missing = feasible(SPACE)[1].copy()
    for row in rows:
        taken = level(np.arange(len(FACTORS)), np.array(row))
        missing[np.ix_(taken, taken, taken)] = False
    assert not missing.any()
    assert len(rows) == ROWS


def test_rows_depend_on_the_key_alone(rows):
    fresh = CoveringArray(SPACE, 0)
    assert fresh.row(7) == rows[7]
    assert tuple(map(fresh.row, range(ROWS))) == rows
    assert CoveringArray(SPACE, 1).row(0) != rows[0]


def test_no_legal_case_takes_what_counts_as_infeasible():
    pairs, triples = feasible(SPACE)
    names = KINDS[21:-5]
    for number in range(600):
        case = free_case(from_key(f"feasible {number}"), CAPABILITIES, None, names[number % len(names)])
        if case.violation is None:
            taken = level(np.arange(len(FACTORS)), np.array(classify(case)))
            assert pairs[np.ix_(taken, taken)].sum() == 23 * 22
            assert triples[np.ix_(taken, taken, taken)].sum() == 23 * 22 * 21


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("kernel, height", "1"), ("padding, height", "below the extent")),
        (("kernel, width", "1"), ("extent above the image, width", "yes")),
        (("stride, height", "1"), ("left over, height", "yes")),
        (("padding spelled", "same"), ("stride, width", "2, up to the kernel")),
        (("padding spelled", "valid"), ("padding, height", "the extent or more")),
        (("groups", "depthwise"), ("in_channels", "1")),
        (("kernel, height", "even"), ("kernel, height", "odd")),
    ],
)
def test_what_cannot_be_is_not_asked_for(one, other):
    assert not feasible(SPACE)[0][numbered(one), numbered(other)]


def test_measuring_counts_each_tuple_once():
    case = steered(from_key("0"), SPACE, covering_array(SPACE, 0).row(0), regimes(CAPABILITIES))
    pairs, triples = measure(SPACE, [classify(case)] * 2)
    assert pairs.covered == len(list(combinations(FACTORS, 2)))
    assert triples.covered == len(list(combinations(FACTORS, 3)))
    assert measure(SPACE, [])[0].share == 0
    assert pairs.figure.startswith("1")


def numbered(named_class):
    name, value = named_class
    factor = [n for n, _ in FACTORS].index(name)
    return level(factor, FACTORS[factor][1].index(value))
