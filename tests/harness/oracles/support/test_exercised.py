from itertools import pairwise

import pytest

from convcheck import Capabilities
from convcheck.judging.blocks import generate
from convcheck.model.token import read
from convcheck.oracles.support.exercised import PLAIN, exercised, leftovers
from convcheck_reference.clauses import CLAUSES

LAYER = "v1,x=1x4x5x6,out=4,k=3"
DRAWN = [
    case
    for case in generate(Capabilities(dtypes=("float32", "complex64"), gradients=True), run_seed=3, block=1, size=120)
    if case.violation is None
]


@pytest.mark.parametrize(
    ("more", "clause"),
    [
        ("p=1,mode=reflect", "C2D-MODE-2"),
        ("p=1,mode=replicate", "C2D-MODE-3"),
        ("p=1,mode=circular", "C2D-MODE-4"),
        ("p=1", "C2D-PAD-1"),
        ("p=1x0", "C2D-PAD-2"),
        ("p=same", "C2D-PAD-3"),
        ("p=valid", "C2D-PAD-4"),
        ("p=3", "C2D-PAD-5"),
        ("d=2", "C2D-DIL-1"),
        ("d=2x1", "C2D-DIL-2"),
        ("s=2", "C2D-STRIDE-3"),
        ("s=2x1", "C2D-STRIDE-2"),
        ("s=3,x=1x4x6x6", "C2D-STRIDE-1"),
        ("g=4", "C2D-GROUPS-2"),
        ("g=2", "C2D-GROUPS-1"),
        ("k=2", "C2D-KERNEL-3"),
        ("k=3x1", "C2D-KERNEL-1"),
        ("x=4x5x6", "C2D-SHAPE-2"),
        ("x=2x4x5x6", "C2D-BATCH-1"),
        ("layout-x=reversed", "C2D-LAYOUT-2"),
        ("layout-weight=sliced", "C2D-LAYOUT-1"),
        ("dtype=complex64", "C2D-DTYPE-3"),
        ("dtype=bfloat16", "C2D-DTYPE-2"),
        ("", "C2D-BIAS-1"),
        ("k=1,bias=false", "C2D-KERNEL-2"),
        ("bias=false", "C2D-BIAS-2"),
    ],
)
def test_a_case_is_named_after_what_is_most_special_about_it(more, clause):
    fields = dict(part.split("=") for part in f"{LAYER[3:]},{more}".strip(",").split(","))
    case = read(",".join(["v1", *(f"{key}={value}" for key, value in fields.items())]))
    assert case.violation is None
    assert exercised(case)[0] == clause


def test_the_order_is_from_the_most_specific_clause_to_the_least():
    """One order for all cases: what precedes in one case never follows in another."""
    orders = [exercised(case, "output") for case in DRAWN]
    before = {pair for order in orders for pair in pairwise(order)}
    left, order = {clause for each in orders for clause in each}, []
    while left:
        first = {clause for clause in left if not any(b == clause and a in left for a, b in before)}
        assert first, f"these stand in no one order: {left}"
        order += sorted(first)
        left -= first
    assert set(order[-3:]) >= PLAIN


@pytest.mark.parametrize(
    ("quantity", "clause"),
    [("grad_input", "C2D-GRAD-1"), ("grad_weight", "C2D-GRAD-2"), ("grad_bias", "C2D-GRAD-3")],
)
def test_a_gradient_exercises_its_own_clause_last_and_what_makes_it_special_first(quantity, clause):
    plain, strided, folded = (read(f"{LAYER},{more}") for more in ("p=1", "s=2", "p=1,mode=reflect"))
    assert exercised(plain, quantity) == (*exercised(plain), clause)
    assert exercised(strided, quantity) == ("C2D-GRAD-4", *exercised(strided), clause)
    assert exercised(folded, quantity) == ("C2D-GRAD-6", *exercised(folded), clause)


def test_padding_of_width_zero_has_no_mode():
    assert exercised(read(f"{LAYER},mode=reflect")) == exercised(read(LAYER))


def test_every_clause_is_one_of_the_specification():
    assert {clause for case in DRAWN for clause in exercised(case, "grad_input")} <= {clause.id for clause in CLAUSES}


def test_what_is_left_over_is_what_no_window_reads():
    for case in DRAWN:
        params, (oh, ow) = case.params, case.output_shape[-2:]
        for axis, (size, out) in enumerate(zip(case.input_shape[-2:], (oh, ow), strict=True)):
            read_to = (out - 1) * params.stride[axis] + params.extent[axis]
            assert leftovers(params, *case.input_shape[-2:])[axis] == size + sum(params.padding[axis]) - read_to
