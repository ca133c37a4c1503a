import math
from collections import Counter

import pytest

from convcheck import Capabilities
from convcheck.judging.blocks import generate
from convcheck.model.case import FLAWS, NO_TENSORS
from convcheck.model.coverage import coverage
from convcheck.oracles.parity import _clauses
from convcheck.strategies.cases import KINDS, free_case, ways
from convcheck.strategies.covering_array import measure
from convcheck.strategies.draws import from_key
from convcheck.strategies.interactions import interactions
from convcheck.strategies.parameter_model import Space, classify

EVERYTHING = Capabilities(
    dtypes=("float32", "float64", "float16", "bfloat16", "complex64", "complex128"), gradients=True, module=True
)
PLAIN = Capabilities(
    padding_modes=("zeros",),
    layouts=("contiguous",),
    groups=False,
    dilation=False,
    string_padding=False,
    unbatched=False,
    empty_batch=False,
    nonfinite=False,
)


def thousand(capabilities, seed):
    return [case for block in range(4) for case in generate(capabilities, run_seed=seed, block=block)]


def test_a_thousand_cases_have_every_flaw_of_tensors_and_no_number_in_every_place(drawn):
    flaws = Counter(case.flaw for case in drawn if case.violation is not None)
    assert set(flaws) >= set(FLAWS) - {"none", *NO_TENSORS}
    kinds = {"None", "nan", "True"}
    numbers = {
        (name, str(value))
        for case in drawn
        for name in ("stride", "padding", "dilation", "groups")
        if str(value := getattr(case.arguments, name)) in kinds
    }
    assert numbers >= {(n, v) for n in ("stride", "padding", "dilation", "groups") for v in ("None", "True")}
    assert "nan" in {value for _, value in numbers}


@pytest.fixture(scope="module")
def drawn():
    return thousand(EVERYTHING, 0)


@pytest.fixture(scope="module")
def legal(drawn):
    return [case for case in (*drawn, *thousand(EVERYTHING, 1)) if case.violation is None]


def test_the_same_seed_gives_the_same_cases(drawn):
    assert generate(EVERYTHING, run_seed=0, block=2) == tuple(drawn[500:750])
    assert generate(EVERYTHING, run_seed=1, block=2) != tuple(drawn[500:750])


@pytest.mark.parametrize("block", [0, 1])
def test_a_shorter_block_begins_like_the_whole_one(drawn, block):
    assert generate(EVERYTHING, run_seed=0, block=block, size=60) == tuple(drawn[250 * block : 250 * block + 60])


def test_the_cases_are_distinct(drawn):
    assert len({case.token for case in drawn}) == 1000


@pytest.mark.parametrize(
    ("capabilities", "dtypes", "seed"),
    [(EVERYTHING, None, 0), (EVERYTHING, None, 1), (EVERYTHING, ("float32",), 2), (PLAIN, None, 3)],
)
def test_a_thousand_cases_take_all_pairs_and_triples(capabilities, dtypes, seed):
    cases = [c for b in range(4) for c in generate(capabilities, dtypes, run_seed=seed, block=b)]
    pairs, triples = measure(Space.of(capabilities, dtypes), classes(cases))
    assert pairs.covered == pairs.feasible
    assert triples.share >= 0.99


def test_what_is_drawn_freely_would_not():
    deck = (*KINDS[21:-5], *ways(EVERYTHING))
    free = [free_case(from_key(str(n)), EVERYTHING, None, deck[n % len(deck)]) for n in range(500)]
    pairs, triples = measure(Space.of(EVERYTHING), classes(free))
    assert pairs.covered < pairs.feasible
    assert triples.share < 0.95


def test_every_error_clause_has_its_share(drawn):
    broken = Counter(_clauses(case)[0] for case in drawn if case.violation is not None)
    assert set(broken) == {f"C2D-ERROR-{n}" for n in (*range(1, 13), 14)}
    assert min(broken.values()) >= 4  # as many as the least of them has ways to be broken
    assert 130 <= broken.total() <= 190


def test_without_a_module_its_errors_are_not_drawn():
    broken = {_clauses(case)[0] for case in thousand(PLAIN, 0) if case.violation is not None}
    assert broken.isdisjoint({"C2D-ERROR-2", "C2D-ERROR-7"})
    assert len(broken) == 11


def test_a_capability_that_is_missing_is_not_drawn():
    for case in thousand(PLAIN, 0):
        if case.violation is None:
            assert PLAIN.unsupported(case) is None


def test_the_mix_is_fast_and_has_medium_layers(legal):
    costs = [case.params.multiply_adds(case.input_shape) for case in legal]
    assert sum(costs) / len(costs) < 400_000
    assert max(costs) < 12_000_000
    assert max(math.prod(case.input_shape) for case in legal) < 1_000_000
    assert 0.1 <= share(legal, lambda c, _: c.batch >= 8 and min(c.input_shape[-2:]) >= 16) <= 0.2


@pytest.mark.parametrize(
    ("least", "holds"),
    [
        (0.10, lambda c, p: math.prod(c.output_shape) > 4096),
        (0.10, lambda c, p: p.kernel_size[0] == p.kernel_size[1] and c.input_shape[-2] != c.input_shape[-1]),
        (0.30, lambda c, p: p.kernel_size[0] != p.kernel_size[1]),
        (0.05, lambda c, p: 1 in c.input_shape[-2:]),
        (0.10, lambda c, p: any(e > i for e, i in zip(p.extent, c.input_shape[-2:], strict=True))),
        (0.10, lambda c, p: any(s > k for s, k in zip(p.stride, p.kernel_size, strict=True))),
        (0.03, lambda c, p: p.kernel_size == (1, 1) and (p.groups > 1 or p.stride != (1, 1) or any(p.padding[0]))),
        (0.05, lambda c, p: any(k % 2 == 0 for k in p.kernel_size) and c.arguments.padding == "same"),
        (0.01, lambda c, p: p.groups >= 32),
        (0.02, lambda c, p: p.in_channels > 64),
        (0.02, lambda c, p: p.out_channels > 64),
        (0.05, lambda c, p: p.in_channels in (5, 7, 11, 13, 17, 31)),
        (0.10, lambda c, p: 1 < p.groups < p.in_channels),
        (0.02, lambda c, p: p.padding_mode == "circular" and max(p.padding[0]) == c.input_shape[-2]),
        (0.02, lambda c, p: p.padding_mode == "reflect" and max(p.padding[1]) == c.input_shape[-1] - 1),
        (0.40, lambda c, p: len(set(c.layouts)) == 1),
        (0.20, lambda c, p: len(set(c.layouts)) > 1),
        (0.03, lambda c, p: c.entry == "module"),
        (0.03, lambda c, p: c.dtype.startswith("complex")),
        (0.05, lambda c, p: c.batch == 0),
        (0.02, lambda c, p: (p.kernel_size, p.stride, p.dilation, p.groups) == ((3, 3), (1, 1), (1, 1), 1)),
        (0.008, lambda c, p: min(p.kernel_size) >= 5 and (p.stride, p.dilation, p.groups) == ((1, 1), (1, 1), 1)),
        (0.03, lambda c, p: p.kernel_size == p.stride and p.kernel_size != (1, 1)),
        (0.004, lambda c, p: math.prod(p.weight_shape) > 2**16),
        (0.02, lambda c, p: math.prod(c.input_shape) > 2**16),
        (0.02, lambda c, p: math.prod(c.output_shape) > 2**16),
    ],
)
def test_regions_where_defects_live_have_their_share(legal, least, holds):
    # two standard deviations of a count of rare events: what is drawn is chance
    assert share(legal, holds) >= least - 2 * math.sqrt(least / len(legal))


def test_the_classes_of_a_run_are_counted(drawn):
    rows = {(c.parameter, c.value) for c in coverage(drawn)}
    for parameter, value in (
        ("kernel_size", "1×1"), ("stride", "1×2"), ("padding", "same"), ("groups", "depthwise"),
        ("groups", "depthwise with multiplier"), ("groups", "between 1 and channels"),
        ("padding_mode", "reflect"), ("padding_mode", "circular"), ("batch", "0"), ("batch", "unbatched"),
        ("batch", "8+"), ("layout", "mixed"), ("values", "special"), ("entry", "module"), ("dtype", "bfloat16"),
    ):  # fmt: skip
        assert (parameter, value) in rows
    assert len({v for p, v in rows if p == "legality"}) == 13


def test_the_report_gets_the_interactions_as_rows(drawn):
    two, three = interactions(classes(drawn), EVERYTHING)
    assert (two.parameter, three.parameter) == ("2-way", "3-way")
    assert two.value.startswith("100.00% (")
    assert two.cases == len(classes(drawn))


def classes(cases):
    return [classify(case) for case in cases if case.violation is None]


def share(legal, holds):
    return sum(bool(holds(case, case.params)) for case in legal) / len(legal)
