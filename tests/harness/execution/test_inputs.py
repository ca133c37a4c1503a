import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck import Capabilities
from convcheck.execution.inputs import Inputs
from convcheck.model.calls import Call, Operation, Tensor
from convcheck.model.case import LAYOUTS
from convcheck.tensors.regions import heap
from convcheck_backends import NumpyBackend
from convcheck_reference import Arguments

DATA = [layout for layout in LAYOUTS if layout not in ("expanded", "broadcast")]


def placed(layout="contiguous", backend=NumpyBackend):
    """The inputs of a call on x and a weight of ones, placed for a backend."""
    tensors = {"x": Tensor(np.ones((2, 3, 4, 5), np.float32), layout), "weight": Tensor(np.ones(2, np.float32))}
    inputs = Inputs(heap)
    native = inputs.place(Call(Operation.FORWARD, Arguments(3, 1, 1), tensors), backend())
    return inputs, native


@pytest.mark.parametrize("layout", DATA)
@settings(deadline=None)
@given(st.data())
def test_any_byte_that_changes_is_seen_where_it_lies_and_restored(layout, data):
    inputs, _ = placed(layout)
    buffer = inputs.buffers["x"]
    whole = buffer.region.whole
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    inside = buffer.array.tobytes() != buffer.tensor.values.tobytes()
    assert inputs.changes() == ((("x",), ()) if inside else ((), ("x",)))
    assert whole.tobytes() == buffer.before
    assert inputs.changes() == ((), ())


def test_a_change_inside_and_one_outside_are_both_seen():
    inputs, native = placed()
    native["x"][0, 0, 0, 0] = 7
    inputs.buffers["weight"].region.whole[-1] = 7
    inputs.buffers["x"].region.whole[0] = 7
    assert inputs.changes() == (("x",), ("x", "weight"))


def test_a_zero_of_the_other_sign_is_a_change():
    inputs = Inputs(heap)
    tensors = {"x": Tensor(np.zeros(3, np.float32))}
    inputs.place(Call(Operation.FORWARD, Arguments(1, 1, 1), tensors), NumpyBackend())["x"][1] = -0.0
    assert inputs.changes() == (("x",), ())


@pytest.mark.parametrize(
    ("native", "shared"),
    [
        (lambda array: array, True),
        (lambda array: array[:], True),
        (lambda array: array.copy(), False),
        (lambda array: array.T, False),
        (lambda array: [array], False),
    ],
)
def test_a_native_object_shares_the_memory_if_it_shows_all_of_it_as_it_lies(native, shared):
    class Native(NumpyBackend):
        def to_native(self, array):
            return native(array)

        def to_numpy(self, native):
            if isinstance(native, list):
                raise TypeError("no array of its own")
            return native

    inputs, _ = placed(backend=Native)
    assert inputs.buffers["x"].shared is shared


class Graph(NumpyBackend):
    capabilities = Capabilities(constant_weight=True)


@pytest.mark.parametrize(("backend", "same"), [(NumpyBackend, True), (Graph, False)])
def test_a_weight_that_has_to_be_constant_is_not_changed_in_place(backend, same):
    inputs, candidate = Inputs(heap), backend()
    made = []
    for fill in (1, 2):
        tensors = {name: Tensor(np.full(shape, fill, np.float32)) for name, shape in (("x", 3), ("weight", 2))}
        made.append(inputs.place(Call(Operation.FORWARD, Arguments(1, 1, 1), tensors, buffers="reused"), candidate))
    assert made[0]["x"] is made[1]["x"]
    assert (made[0]["weight"] is made[1]["weight"]) == same
    assert (made[1]["weight"] == 2).all()
    assert same or (made[0]["weight"] == 1).all()
