import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convcheck import Capabilities
from convcheck.judging.blocks import generate
from convcheck.model.token import read
from convcheck.strategies import cases
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import COMMON_BUDGET
from convcheck.strategies.plain import PlainSpace
from convcheck.strategies.plain_fields import FIELDS, GENERATED
from convcheck_reference.formats import DTYPES

ALL = Capabilities(dtypes=tuple(DTYPES), gradients=True, module=True)
FEW = Capabilities(
    dtypes=("float64",),
    padding_modes=("zeros",),
    layouts=("contiguous",),
    groups=False,
    dilation=False,
    string_padding=False,
    unbatched=False,
    empty_batch=False,
    nonfinite=False,
)
SPACE = PlainSpace.of(ALL)
SPARSE = SPACE.with_sparse_data()
WEIGHTED = SPACE.weighted()
NUMBERS = st.fixed_dictionaries({field: st.integers(0, limit) for field, limit in SPARSE.limits.items()})
PROPERTY = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@given(cases(ALL))
@PROPERTY
def test_every_legal_case_of_the_strategy_has_numbers_that_make_it_again(case):
    for space in (SPACE, SPARSE, WEIGHTED):
        numbers = space.numbers(case)
        if case.violation is not None:
            assert numbers is None
        else:
            assert set(numbers) == set(FIELDS)
            assert max(numbers.values()) <= 99
            assert space.case(numbers).token == case.token


@pytest.mark.parametrize("capabilities", [ALL, FEW, Capabilities()])
def test_every_legal_case_of_a_block_has_numbers_that_make_it_again(capabilities):
    space = PlainSpace.of(capabilities)
    for case in generate(capabilities, run_seed=3, block=0):
        numbers = space.numbers(case)
        assert (numbers is None) == (case.violation is not None)
        assert numbers is None or space.case(numbers) == case


@given(NUMBERS)
@PROPERTY
def test_any_numbers_give_a_legal_case(numbers):
    case = SPARSE.case(numbers)
    assert case.violation is None
    assert ALL.unsupported(case) is None


@given(NUMBERS, st.sampled_from([field for field in FIELDS if field in GENERATED]), st.data())
@PROPERTY
def test_a_smaller_number_makes_no_quantity_larger(numbers, field, data):
    numbers |= {"form": 0, "padding": 0, "nonzeros": 0}
    less = numbers | {field: data.draw(st.integers(0, numbers[field]))}
    larger, smaller = SPACE.case(numbers), SPACE.case(less)
    for quantity in ("kernel_size", "stride", "padding", "dilation"):
        assert all(a <= b for a, b in zip(pair(smaller, quantity), pair(larger, quantity), strict=True))
    if "padding" not in field:  # which needs fewer pixels
        assert all(a <= b for a, b in zip(smaller.input_shape, larger.input_shape, strict=True))
    assert smaller.params.out_channels <= larger.params.out_channels
    assert smaller.seed <= larger.seed


def pair(case, quantity):
    value = getattr(case.arguments, quantity)
    return value if isinstance(value, tuple) else (value, value)


def test_zeros_are_the_simplest_case():
    assert SPARSE.case({}) == read("v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1")
    assert SPACE.case(dict.fromkeys(FIELDS, 0)) == read("v1,x=1x1x1x1,out=1,k=1,bias=false")


@pytest.mark.parametrize(
    ("field", "number", "token"),
    [
        ("kernel_w", 2, "v1,x=1x1x1x3,out=1,k=1x3"),
        ("spare_h", 4, "v1,x=1x1x5x1,out=1,k=1"),
        ("spare_h_1", 2, "v1,x=1x1x201x1,out=1,k=1"),
        ("padding_h", 1, "v1,x=1x1x1x1,out=1,k=1,p=1x0"),
        ("groups", 1, "v1,x=1x2x1x1,out=2,k=1,g=2"),
        ("in_per_group_1", 5, "v1,x=1x501x1x1,out=1,k=1"),
        ("batch", 3, "v1,x=4x1x1x1,out=1,k=1"),
        ("form", 1, "v1,x=1x1x1,out=1,k=1"),
        ("form", 2, "v1,x=0x1x1x1,out=1,k=1"),
        ("stride_spelled", 1, "v1,x=1x1x1x1,out=1,k=1,s=1x1"),
        ("padding", 2, "v1,x=1x1x1x1,out=1,k=1,p=same"),
        ("dtype", 2, "v1,x=1x1x1x1,out=1,k=1,dtype=float16"),
        ("seed_4", 42, "v1,x=1x1x1x1,out=1,k=1,seed=4200000000"),
    ],
)
def test_each_field_alone(field, number, token):
    assert SPACE.case({"bias": 1, field: number}) == read(token)


@pytest.mark.parametrize(
    "token",
    [
        "v1,x=1x1x4x4,out=1,k=5",  # illegal
        "v1,x=1x2x4x4,out=1,k=1,flaw=input_channels",
        "v1,x=1x1x200x4,out=1,k=150x1",  # above its limit
        "v1,x=1x1x4x4,out=1,k=1,nonzeros=3",  # no choice
        "v1,x=1x1x4x4,out=1,k=1,values=wide,entry=module",  # drawn for no module
    ],
)
def test_what_no_numbers_make_has_none(token):
    assert SPARSE.numbers(read(token)) is None


def test_what_is_not_supported_has_no_numbers():
    assert PlainSpace.of(FEW).numbers(read("v1,x=1x1x4x4,out=1,k=1,dtype=float64")) is not None
    for more in ("", ",dtype=float64,g=1,layout=sliced", ",dtype=float64,d=2", ",dtype=float64,p=same"):
        assert PlainSpace.of(FEW).numbers(read(f"v1,x=1x1x4x4,out=1,k=2{more}")) is None


@pytest.mark.parametrize("capabilities", [ALL, FEW])
def test_drawn_cases_are_supported_and_within_the_budget(capabilities):
    space = PlainSpace.of(capabilities).weighted()
    drawn = [space.draw(from_key(f"plain {number}")) for number in range(100)]
    assert len({case.token for case in drawn}) == 100
    for case in drawn:
        assert case.violation is None
        assert capabilities.unsupported(case) is None
        assert case.params.multiply_adds(case.input_shape) <= COMMON_BUDGET
        assert case.nonzeros is None
        assert space.numbers(case) is not None


def test_every_number_that_is_drawn_lies_between_0_and_99():
    asked = []

    def draw(low, high):
        asked.append((low, high))
        return high

    WEIGHTED.draw(draw)
    assert asked == [(0, most) for most in WEIGHTED.most.values()]
    assert all(0 < most <= 99 for most in WEIGHTED.most.values())


def test_what_has_no_choice_is_not_drawn():
    assert not {"groups", "dilation_h", "mode", "dtype", "layout_x", "form", "entry"} & set(
        PlainSpace.of(FEW).weighted().most
    )


def test_the_simplest_choices_are_drawn_more_often():
    drawn = [WEIGHTED.draw(from_key(f"plain {number}")) for number in range(200)]
    assert sum(case.batch == 0 for case in drawn) < 30
    assert sum(case.entry == "module" for case in drawn) < 60
    assert 20 < sum(isinstance(case.arguments.padding, str) for case in drawn) < 70
