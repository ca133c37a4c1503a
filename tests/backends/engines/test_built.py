import numpy as np
import pytest

from convcheck_backends.engines.built import Graphs, key_of
from convcheck_reference import Arguments, Conv2dParams

X = np.zeros((1, 2, 5, 5), np.float32)
WEIGHT = np.ones((3, 2, 3, 3), np.float32)
LAYER = Conv2dParams(2, 3, 3, padding=1)


def layer(**changed):
    return Conv2dParams.unchecked(Arguments(2, 3, 3, **{"padding": 1} | changed))


def test_a_graph_is_built_once():
    graphs, built = Graphs(), []
    for _ in range(3):
        assert graphs.of(key_of(LAYER, X, baked=(WEIGHT,)), lambda: built.append(0) or "graph") == "graph"
    assert built == [0]


@pytest.mark.parametrize(
    "other",
    [
        key_of(layer(stride=2), X, baked=(WEIGHT,)),
        key_of(layer(stride=True), X, baked=(WEIGHT,)),
        key_of(layer(stride=1.0), X, baked=(WEIGHT,)),
        key_of(layer(stride=[1, 1]), X, baked=(WEIGHT,)),
        key_of(layer(padding="same"), X, baked=(WEIGHT,)),
        key_of(LAYER, X[:, :, 1:], baked=(WEIGHT,)),
        key_of(LAYER, X.astype(np.float16), baked=(WEIGHT,)),
        key_of(LAYER, X, baked=(2 * WEIGHT,)),
        key_of(LAYER, X, baked=(-0.0 * WEIGHT,)),
        key_of(LAYER, X, baked=(WEIGHT.reshape(2, 3, 3, 3),)),
        key_of(LAYER, X, baked=(WEIGHT, WEIGHT[:, 0, 0, 0])),
        key_of(LAYER, X, WEIGHT),
    ],
)
def test_whatever_is_built_in_makes_another(other):
    assert key_of(LAYER, X, baked=(WEIGHT,)) != other


def test_values_that_are_inputs_do_not():
    assert key_of(LAYER, X, WEIGHT) == key_of(LAYER, X + 1, 2 * WEIGHT)


def test_the_last_ones_are_kept_and_no_more():
    graphs, built = Graphs(), []
    for number in (*range(40), 0, 39, 9):
        graphs.of(number, lambda number=number: built.append(number) or number)
    assert built == [*range(40), 0]


def test_what_could_not_be_built_is_built_again():
    graphs = Graphs()
    with pytest.raises(ZeroDivisionError):
        graphs.of("key", lambda: 1 / 0)
    assert graphs.of("key", lambda: "graph") == "graph"
