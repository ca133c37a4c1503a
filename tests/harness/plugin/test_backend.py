import numpy as np
import pytest

from convcheck import Backend, Module


class Matrix(np.ndarray):
    """An array with ideas of its own."""


@pytest.mark.parametrize("result", [None, 1.0, [1.0], np.float32(1), np.zeros(3).view(Matrix)], ids=repr)
def test_a_result_has_to_be_a_plain_array(result):
    with pytest.raises(TypeError, match=f"returned a {type(result).__name__}; expected a numpy.ndarray"):
        Backend().to_numpy(result)


def test_arrays_cross_as_they_are_unless_a_backend_converts_them():
    array = np.zeros((2, 3))[:, ::-1]
    assert Backend().to_native(array) is array
    assert Backend().to_numpy(array) is array


@pytest.mark.parametrize(("method", "tensors"), [("conv2d", 4), ("conv2d_backward", 5), ("conv2d_double_backward", 8)])
def test_what_is_not_written_computes_nothing(method, tensors):
    with pytest.raises(NotImplementedError):
        getattr(Backend(), method)(*[None] * tensors)


def test_a_module_has_parameters_and_can_be_called():
    class Layer:
        weight = bias = None

        def __call__(self, x):
            return x

    class NoBias:
        weight = None

        def __call__(self, x):
            return x

    assert isinstance(Layer(), Module)
    assert not isinstance(NoBias(), Module)
