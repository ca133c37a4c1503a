import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck import Capabilities, Case
from convcheck.strategies.parameter_model import (
    AXIS,
    FACTORS,
    LEVELS,
    Space,
    axis_classes,
    channel_classes,
    classify,
    level,
    owner,
)
from convcheck_reference import Arguments
from convcheck_reference.errors import ConvcheckError

AXES = st.tuples(
    st.integers(20, 30), st.integers(1, 5), st.integers(1, 7), st.integers(1, 3), st.integers(0, 9), st.integers(0, 9)
)


@settings(deadline=None)
@given(st.lists(AXES, min_size=1, max_size=5))
def test_a_table_of_axes_is_classified_as_each_of_them(axes):
    together = np.stack(axis_classes(*np.array(axes).T), axis=1)
    assert together.tolist() == [[int(v) for v in axis_classes(*axis)] for axis in axes]
    assert all(0 <= v < len(AXIS[at][1]) for row in together for at, v in enumerate(row))


@pytest.mark.parametrize(
    ("channels", "names"),
    [
        ((1, 1, 1), ("1", "1", "1")),
        ((1, 7, 8), ("1", "2 to 7", "a multiple of 8")),
        ((2, 4, 18), ("between 1 and channels", "2 to 7", "above 8, with a remainder")),
        ((16, 16, 16), ("depthwise", "a multiple of 8", "a multiple of 8")),
        ((3, 3, 9), ("depthwise with multiplier", "2 to 7", "above 8, with a remainder")),
    ],
)
def test_channels_are_classified_as_a_reader_names_them(channels, names):
    found = channel_classes(*channels)
    offset = [name for name, _ in FACTORS].index("groups")
    assert tuple(FACTORS[offset + at][1][int(number)] for at, number in enumerate(found)) == names


@pytest.mark.parametrize(("batch", "name"), [(0, "0"), (1, "1"), (2, "2 to 7"), (7, "2 to 7"), (8, "8 or more")])
def test_batches_are_classified_by_size(batch, name):
    found = classify(Case(Arguments(1, 1, 1), (batch, 1, 2, 2)))
    at = [name for name, _ in FACTORS].index("batch")
    assert FACTORS[at][1][found[at]] == name


def test_every_level_belongs_to_the_factor_that_it_was_counted_for():
    numbered = [(at, level(at, number)) for at, (_, classes) in enumerate(FACTORS) for number in range(len(classes))]
    assert [int(number) for _, number in numbered] == list(range(LEVELS))
    assert owner().tolist() == [at for at, _ in numbered]


def test_an_illegal_case_has_no_classes():
    with pytest.raises(ConvcheckError):
        classify(Case(Arguments(1, 1, 1, stride=0), (1, 1, 2, 2)))


@pytest.mark.parametrize(
    ("layouts", "classes"),
    [
        (("contiguous",), (0,)),
        (("channels_last",), (1,)),
        (("contiguous", "channels_last"), (0, 1, 3)),
        (("sliced", "reversed"), (2, 3)),
        (("contiguous", "broadcast"), (0, 3)),
    ],
)
def test_the_layouts_of_a_space_are_those_that_can_be_drawn(layouts, classes):
    assert Space.of(Capabilities(layouts=layouts)).layout_classes == classes


def test_a_space_is_no_larger_than_what_is_declared_and_asked_for():
    narrow = Capabilities(dtypes=("float32", "complex64", "complex128"), unbatched=False, empty_batch=False)
    assert Space.of(narrow).batches == (0, 1, 2)
    assert Space.of(narrow).dtype_classes == (0, 4)
    assert Space.of(narrow, ("complex64",)).dtype_classes == (4,)
