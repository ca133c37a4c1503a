import math
from dataclasses import replace

import pytest

from convcheck import Capabilities
from convcheck.model.case import NO_TENSORS
from convcheck.model.token import read
from convcheck.oracles.parity import _clauses
from convcheck.strategies.cases import free_case, ways
from convcheck.strategies.draws import from_key
from convcheck.strategies.illegal import FUNCTION_ONLY, MODULE_ONLY, TURNS, WAYS

CAPABILITIES = Capabilities(dtypes=("float32", "float16", "complex64"), gradients=True, module=True)


@pytest.fixture(scope="module")
def broken():
    return {
        way: [free_case(from_key(f"{way} {n}"), CAPABILITIES, None, way, n % TURNS) for n in range(120)] for way in WAYS
    }


@pytest.mark.parametrize(("number", "way"), list(zip((*range(1, 13), 14, 14, 14, 14, 5), WAYS, strict=True)))
def test_each_way_breaks_its_own_clause_and_no_other(broken, number, way):
    for case in broken[way]:
        assert case.violation is not None
        assert _clauses(case) == (f"C2D-ERROR-{number}",)
        assert read(case.token) == case
        assert case.batch > 0
        assert case.dtype != "complex64"


@pytest.mark.parametrize("way", WAYS)
def test_the_entry_is_one_that_can_be_asked(broken, way):
    entries = {case.entry for case in broken[way]}
    if way in FUNCTION_ONLY or way == "no tensors":
        assert entries == {"function"}
    elif way in MODULE_ONLY:
        assert entries == {"module"}
    else:
        assert entries == {"function", "module"}


def test_all_is_one_step_from_legality(broken):
    for case in broken["kernel too large"]:
        padded = [i + 2 * p for i, p in zip(case.input_shape[-2:], (p[0] for p in case.params.padding), strict=True)]
        assert 1 in [e - i for e, i in zip(case.params.extent, padded, strict=True)]
    for way, beyond in (("reflect", 0), ("circular", 1)):
        for case in broken[way]:
            pads = [p[0] - i for p, i in zip(case.params.padding, case.input_shape[-2:], strict=True)]
            assert beyond in pads


def mended(value, least):
    """The nearest that is legal: a candidate that reads the argument so has no other reason to refuse it."""
    if isinstance(value, tuple):
        return tuple(mended(one, least) for one in value[:2])
    if isinstance(value, str):
        return {"valid": "valid", "same": "same"}.get(value.strip().lower(), "same")
    return least if value is None or math.isnan(value) else max(least, int(value))


@pytest.mark.parametrize(
    ("way", "names"),
    [
        ("stride", {"stride": 1}),
        ("kernel", {"kernel_size": 1}),
        ("dilation", {"dilation": 1}),
        ("padding", {"padding": 0}),
        *(
            (way, {"stride": 1, "padding": 0, "dilation": 1, "groups": 1})
            for way in ("fractions", "bools", "no numbers")
        ),
    ],
)
def test_with_the_argument_mended_the_case_is_legal(broken, way, names):
    for case in broken[way]:
        changes = {name: mended(getattr(case.arguments, name), least) for name, least in names.items()}
        if changes.get("padding") == "same":
            changes["stride"] = 1
        assert replace(case, arguments=replace(case.arguments, **changes)).violation is None, case.token


def test_a_negative_padding_leaves_room_for_the_kernel(broken):
    given = [
        (case, case.arguments.padding) for case in broken["padding"] if not isinstance(case.arguments.padding, str)
    ]
    cropped = [case for case, padding in given if -1 in (padding if isinstance(padding, tuple) else (padding,))]
    assert len(cropped) > 20
    for case in cropped:
        extents = replace(case, arguments=replace(case.arguments, padding=0)).params.extent
        assert all(e <= i - 2 for e, i in zip(extents, case.input_shape[-2:], strict=True))


def test_tensors_are_wrong_in_every_way(broken):
    assert {case.flaw for case in broken["tensors"]} == {
        "input_ndim", "input_channels", "weight_ndim", "weight_channels", "bias_shape", "input_ndim_5",
        "input_channels_few", "weight_channels_few", "weight_ungrouped", "bias_few", "bias_single", "bias_column",
        "bias_planes", "none",
    }  # fmt: skip


def test_types_are_wrong_in_every_argument_and_tensor(broken):
    assert {case.flaw for case in broken["no tensors"]} == set(NO_TENSORS)
    for way, kinds in (("fractions", {float}), ("bools", {bool}), ("no numbers", {float, type(None)})):
        for name in ("stride", "padding", "dilation", "groups"):
            assert kinds <= {type(getattr(case.arguments, name)) for case in broken[way]}
    assert {case.flaw for case in broken["dtypes"]} == {"weight_dtype", "bias_dtype"}


@pytest.mark.parametrize("first", range(0, TURNS, 7))
def test_a_few_turns_in_a_row_are_unlike(first):
    def ten(way):
        turns = [(first + n) % TURNS for n in range(10)]
        return [free_case(from_key(f"{way} {turn}"), CAPABILITIES, None, way, turn) for turn in turns]

    fractions, nothing, padding = ([case.arguments for case in ten(w)] for w in ("fractions", "no numbers", "padding"))
    for name in ("stride", "padding", "dilation", "groups"):
        given = [value if isinstance(value, tuple) else (value,) for value in (getattr(a, name) for a in fractions)]
        whole = {all(number == int(number) for number in numbers) for numbers in given if float in map(type, numbers)}
        assert whole == {True, False}
        assert {type(getattr(a, name)) for a in nothing} >= {type(None), float}
    assert sum(isinstance(a.padding, str) for a in padding) in range(5, 9)
    assert len({a.padding for a in padding if isinstance(a.padding, str)}) >= 5
    for way in set(WAYS) - {*FUNCTION_ONLY, *MODULE_ONLY, "no tensors"}:
        assert {case.entry for case in ten(way)} == {"function", "module"}


def test_three_numbers_stand_where_two_belong(broken):
    for way in ("stride", "padding", "dilation", "kernel"):
        name = "kernel_size" if way == "kernel" else way
        assert 3 in {len(v) for v in (getattr(c.arguments, name) for c in broken[way]) if isinstance(v, tuple)}


def test_without_a_module_only_functions_are_called():
    plain = Capabilities()
    names = ways(plain)
    assert not set(names) & set(MODULE_ONLY)
    assert {free_case(from_key(str(n)), plain, None, names[n % len(names)]).entry for n in range(100)} == {"function"}
