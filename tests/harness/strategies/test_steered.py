import pytest

from convcheck import Capabilities
from convcheck.strategies.cases import regimes
from convcheck.strategies.covering_array import covering_array
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import SMALL_BUDGET
from convcheck.strategies.parameter_model import Space, classify
from convcheck.strategies.steered import steered

NARROW = Capabilities(
    dtypes=("float64", "complex64", "complex128"),
    padding_modes=("zeros",),
    layouts=("contiguous", "sliced", "broadcast"),
    groups=False,
    dilation=False,
    string_padding=False,
    unbatched=False,
    empty_batch=False,
    nonfinite=False,
    gradients=True,
)


@pytest.fixture(scope="module")
def built():
    space = Space.of(NARROW)
    rows = map(covering_array(space, 7).row, range(150))
    return [(row, steered(from_key(str(number)), space, row, regimes(NARROW))) for number, row in enumerate(rows)]


def test_a_narrow_backend_gets_the_classes_of_its_rows_and_nothing_undeclared(built):
    for row, case in built:
        assert classify(case) == row
        assert NARROW.unsupported(case) is None


def test_what_a_row_leaves_open_is_drawn(built):
    cases = [case for _, case in built]
    assert {case.dtype for case in cases} == set(NARROW.dtypes)
    assert {case.regime for case in cases} == set(regimes(NARROW))
    assert len({case.seed for case in cases}) >= 0.95 * len(cases)


def test_data_never_have_one_value_only(built):
    assert any(case.layouts[2] == "broadcast" for _, case in built)
    assert not any("broadcast" in case.layouts[:2] for _, case in built)


def test_most_cases_are_cheap(built):
    cheap = [case for _, case in built if case.params.multiply_adds(case.input_shape) <= SMALL_BUDGET]
    assert len(cheap) > 0.9 * len(built)
