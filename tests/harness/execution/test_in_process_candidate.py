"""What is seen of a candidate in this process: which memory it gets, and what it does to that memory."""

import itertools
import threading

import numpy as np
import pytest
import torch

from convcheck import Backend, Capabilities
from convcheck.execution import InProcessCandidate
from convcheck.model.calls import Call, Operation, Raised, Tensor
from convcheck.plugin.function_backend import FunctionBackend
from convcheck_backends import NumpyBackend, TorchCpu
from convcheck_reference import Arguments
from racing import SharedOutput

LAYER = Arguments(2, 3, 2, bias=False)


def forward(values=1.0, buffers="fresh", dtype="float32", layout="contiguous", shape=(1, 2, 4, 5)):
    tensors = {
        "x": Tensor(np.full(shape, values, dtype), layout),
        "weight": Tensor(np.full((3, 2, 2, 2), values, dtype), layout),
    }
    return Call(Operation.FORWARD, LAYER, tensors, dtype, buffers)


class Noting(NumpyBackend):
    """Notes what it gets."""

    def __init__(self, base=NumpyBackend):
        self.base, self.seen = base(), []
        self.capabilities = self.base.capabilities
        self.to_native, self.to_numpy = self.base.to_native, self.base.to_numpy

    def conv2d(self, x, weight, bias, params):
        array = self.base.to_numpy(x)
        self.seen.append((x, array.ctypes.data, array.copy()))
        return self.base.conv2d(x, weight, bias, params)


class Copying(NumpyBackend):
    """An engine with tensors of its own."""

    def to_native(self, array):
        return array.copy()


@pytest.mark.parametrize("base", [NumpyBackend, TorchCpu])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "sliced", "transposed", "expanded"])
def test_reused_buffers_keep_address_and_object_and_get_new_contents(base, layout):
    backend = Noting(base)
    host = InProcessCandidate(lambda: backend)
    outcomes = [host.call(forward(v, "reused", layout=layout)) for v in (1.0, 2.0, 1.0)]
    objects, addresses, contents = zip(*backend.seen, strict=True)
    assert objects[0] is objects[1] is objects[2]
    assert len(set(addresses)) == 1
    assert [np.unique(c).tolist() for c in contents] == [[1.0], [2.0], [1.0]]
    assert [o.arrays["output"].flat[0] for o in outcomes] == [8.0, 32.0, 8.0]
    assert not any(o.mutated or o.overwritten for o in outcomes)


def two_calls(base):
    """Forward, then backward on the tensors of forward."""
    call = forward()
    grad = {"grad_output": Tensor(np.ones((1, 3, 3, 4), np.float32))}
    host = InProcessCandidate(lambda: base)
    return [host.call(call), host.call(Call(Operation.BACKWARD, LAYER, {**call.tensors, **grad}))]


def test_a_tensor_that_stood_in_the_call_before_stays_where_it_is():
    class Twice(Noting):
        def conv2d_backward(self, grad_output, x, weight, bias, params):
            self.seen.append((x, x.ctypes.data, x.copy()))
            return super().conv2d_backward(grad_output, x, weight, bias, params)

    backend = Twice()
    assert not any(o.mutated or o.spilled for o in two_calls(backend))
    (before, *_), (after, *_) = backend.seen
    assert before is after


def test_what_a_call_did_around_a_tensor_is_undone_before_the_next():
    class Spilling(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            np.lib.stride_tricks.as_strided(x, (x.size + 1,), (x.itemsize,))[-1] = 7
            return super().conv2d(x, weight, bias, params)

    first, second = two_calls(Spilling())
    assert (first.mutated, first.spilled) == ((), ("x",))
    assert (second.mutated, second.spilled) == ((), ())


def test_what_a_call_did_before_it_raised_is_undone_before_the_next():
    class Raising(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            x[...] = 9
            raise ValueError("after all")

    first, second = two_calls(Raising())
    assert isinstance(first, Raised)
    assert not second.mutated
    assert np.array_equal(second.arrays["grad_weight"], np.full((3, 2, 2, 2), 12.0))


def test_settings_of_one_call_do_not_reach_the_next():
    class Strict(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            np.float64(1) / np.zeros(1)
            np.seterr(divide="raise")
            return super().conv2d(x, weight, bias, params)

    assert not any(isinstance(o, Raised) for o in InProcessCandidate(Strict).call_all([forward(), forward()]))


def test_a_candidate_with_copies_of_its_own_gets_new_ones():
    class Mutating(Copying):
        def conv2d(self, x, weight, bias, params):
            x[...] = 9
            return super().conv2d(x, weight, bias, params)

    _, second = two_calls(Mutating())
    assert np.array_equal(second.arrays["grad_weight"], np.full((3, 2, 2, 2), 12.0))


def test_fresh_buffers_are_other_memory():
    backend = Noting()
    host = InProcessCandidate(lambda: backend)
    for _ in range(3):
        host.call(forward())
    addresses = [address for _, address, _ in backend.seen]
    assert all(a != b for a, b in itertools.pairwise(addresses))


@pytest.mark.parametrize("other", [{"dtype": "float64"}, {"layout": "sliced"}, {"shape": (1, 2, 5, 4)}])
def test_another_tensor_gets_memory_of_its_own(other):
    backend = Noting()
    host = InProcessCandidate(lambda: backend)
    host.call(forward())
    host.call(forward(2.0, "reused", **other))
    (one, _, _), (two, _, contents) = backend.seen
    assert one is not two
    assert (contents == 2.0).all()


def test_a_native_copy_is_made_anew_from_reused_memory():
    backend = Noting(Copying)
    host = InProcessCandidate(lambda: backend)
    host.call(forward(1.0))
    host.call(forward(2.0, "reused"))
    assert [np.unique(c).tolist() for _, _, c in backend.seen] == [[1.0], [2.0]]


def test_a_mutated_input_in_a_reused_buffer_is_reported_and_written_anew():
    class Mutating(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            weight *= weight.dtype.type(2)
            return super().conv2d(x, weight, bias, params)

    host = InProcessCandidate(Mutating)
    outcomes = [host.call(forward(1.0, "reused")) for _ in range(2)]
    assert [o.mutated for o in outcomes] == [("weight",), ("weight",)]
    assert [o.arrays["output"].flat[0] for o in outcomes] == [16.0, 16.0]


@pytest.mark.parametrize("buffers", ["fresh", "reused"])
def test_an_output_buffer_of_the_candidates_own_is_overwritten(buffers):
    class OneBuffer(NumpyBackend):
        def __init__(self):
            self.buffer = np.empty((1, 3, 3, 4), np.float32)

        def conv2d(self, x, weight, bias, params):
            self.buffer[...] = super().conv2d(x, weight, bias, params)
            return self.buffer

    host = InProcessCandidate(OneBuffer)
    assert [host.call(forward(v, buffers)).overwritten for v in (1.0, 2.0, 2.0)] == [(), ("output",), ()]


def test_a_late_write_is_seen_by_the_next_call():
    class Late(NumpyBackend):
        """Its thread is held back until the result has been looked at."""

        def __init__(self):
            self.returned, self.writing = threading.Event(), None

        def conv2d(self, x, weight, bias, params):
            if self.writing is not None:
                self.returned.set()
                self.writing.join()
                return super().conv2d(x, weight, bias, params)
            result = super().conv2d(x, weight, bias, params)
            self.writing = threading.Thread(target=lambda: self.returned.wait() and result.fill(0))
            self.writing.start()
            return result

    host = InProcessCandidate(Late)
    assert host.call(forward()).overwritten == ()
    assert host.call(forward()).overwritten == ("output",)


def test_earlier_results_of_a_legal_candidate_stay():
    for backend in (NumpyBackend, TorchCpu):
        host = InProcessCandidate(backend)
        assert not any(host.call(forward(float(v), "reused")).overwritten for v in range(5))


def test_a_call_that_raises_keeps_the_earlier_results_in_sight():
    class Raising(NumpyBackend):
        def __init__(self):
            self.results = []

        def conv2d(self, x, weight, bias, params):
            if self.results:
                self.results.pop().fill(0)
                raise RuntimeError
            self.results.append(super().conv2d(x, weight, bias, params))
            return self.results[0]

    host = InProcessCandidate(Raising)
    host.call(forward())
    assert isinstance(host.call(forward()), Raised)
    assert host.call(forward()).overwritten == ("output",)


def test_reused_tensors_of_a_function_never_ask_for_gradients():
    asked = []

    def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        asked.append(x.requires_grad)
        return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)

    host = InProcessCandidate(lambda: FunctionBackend(conv, "conv"))
    asked.clear()  # what it takes was found out by a call
    grad = {"grad_output": Tensor(np.ones((1, 3, 3, 4), np.float32))}
    call = forward(buffers="reused")
    backward = Call(Operation.BACKWARD, LAYER, {**call.tensors, **grad}, buffers="reused")
    for each in (call, backward, call):
        assert not host.call(each).mutated
    assert asked == [False, True, False]


def test_a_restart_forgets_buffers_and_results():
    backend = Noting()
    host = InProcessCandidate(lambda: backend)
    host.call(forward())
    host.restart()
    host.call(forward(2.0, "reused"))
    assert backend.seen[0][0] is not backend.seen[1][0]


def test_what_to_native_raises_is_an_outcome():
    class Refusing(Backend):
        name = "refusing"
        capabilities = Capabilities()

        def to_native(self, array):
            raise TypeError("no")

    assert InProcessCandidate(Refusing).call(forward()).kind == "TypeError"


@pytest.mark.parametrize("backend", [NumpyBackend, TorchCpu])
def test_a_layer_has_the_same_parameters_whatever_was_made_before(backend):
    x = {"x": Tensor(np.ones((1, 2, 5, 5), np.float32))}
    host = InProcessCandidate(backend)
    made = [host.call(Call(Operation.MODULE, Arguments(2, 3, k), x, "float32")) for k in (3, 2, 3)]
    first, other, again = (m.arrays["weight"] for m in made)
    assert np.array_equal(first, again)
    assert not np.array_equal(first[..., :2, :2], other)


@pytest.mark.parametrize("base", [NumpyBackend, TorchCpu])
def test_calls_at_once_have_tensors_of_their_own_and_outcomes_in_order(base):
    backend = Noting(base)
    host = InProcessCandidate(lambda: backend)
    outcomes = host.call_at_once([(forward(1.0, "reused"),) * 2, (forward(2.0, "reused"),) * 2])
    assert [[o.arrays["output"].flat[0] for o in each] for each in outcomes] == [[8.0, 8.0], [32.0, 32.0]]
    assert len({address for _, address, _ in backend.seen}) == 4
    assert not any(o.mutated or o.spilled or o.overwritten or o.aliased for each in outcomes for o in each)
    host.call(forward(3.0, "reused"))
    assert backend.seen[-1][1] in {address for _, address, contents in backend.seen if contents.flat[0] == 1.0}


def test_what_one_thread_does_to_its_tensors_or_raises_is_its_own():
    class Odd(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            if x.flat[0] == 1:
                x += 1
            if x.flat[0] == 3:
                raise ValueError("three")
            return output

    host = InProcessCandidate(Odd)
    ((scaled,), (raised,), (plain,)) = host.call_at_once([(forward(1.0),), (forward(3.0),), (forward(5.0),)])
    assert (scaled.mutated, plain.mutated) == (("x",), ())
    assert isinstance(raised, Raised)
    assert (raised.kind, raised.message) == ("ValueError", "three")
    assert "conv2d" in raised.traceback


def test_a_buffer_that_two_threads_get_is_seen():
    host = InProcessCandidate(SharedOutput)
    ((one,), (other,)) = host.call_at_once([(forward(1.0),), (forward(2.0),)])
    assert np.array_equal(one.arrays["output"], other.arrays["output"])
    assert other.aliased == ("output with the earlier output",)


def test_where_tensors_cannot_be_made_only_that_call_is_not():
    class Refusing(NumpyBackend):
        def to_native(self, array):
            if array.flat[0] == 2:
                raise TypeError("no twos")
            return array

    host = InProcessCandidate(Refusing)
    ((right,), (raised,)) = host.call_at_once([(forward(1.0),), (forward(2.0),)])
    assert right.arrays["output"].flat[0] == 8.0
    assert (raised.kind, raised.message) == ("TypeError", "no twos")


def test_a_lazy_result_is_computed_in_the_thread_that_it_belongs_to():
    class Lazy:
        """Cannot be computed where it was not asked for, as arrays of MLX cannot."""

        def __init__(self, compute):
            self.compute, self.thread, self.value = compute, threading.get_ident(), None

        def numpy(self):
            if self.value is None:
                if threading.get_ident() != self.thread:
                    raise RuntimeError("no stream in current thread")
                self.value = self.compute()
            return self.value

    class LazyBackend(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            return Lazy(lambda: NumpyBackend.conv2d(self, x, weight, bias, params))

        def to_numpy(self, native):
            return native.numpy() if isinstance(native, Lazy) else native

    outcomes = InProcessCandidate(LazyBackend).call_at_once([(forward(1.0),), (forward(2.0),)])
    assert [each.malformed for (each,) in outcomes] == [{}, {}]
    assert [each.arrays["output"].flat[0] for (each,) in outcomes] == [8.0, 32.0]
