import numpy as np

from convcheck.execution import InProcessCandidate
from convcheck.execution.restarting_candidate import RestartingCandidate
from convcheck.model.calls import Call, Operation, Tensor
from convcheck_backends import NumpyBackend
from convcheck_reference import Arguments


class Counting(NumpyBackend):
    """Adds the number of its call to its output."""

    def __init__(self):
        self.calls = 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        return super().conv2d(x, weight, bias, params) + np.float32(self.calls)


def test_each_turn_is_the_first():
    tensors = {"x": Tensor(np.zeros((1, 1, 1, 1), np.float32)), "weight": Tensor(np.zeros((1, 1, 1, 1), np.float32))}
    call = Call(Operation.FORWARD, Arguments(1, 1, 1, bias=False), tensors)
    candidate = RestartingCandidate(InProcessCandidate(Counting))
    turns = [candidate.call_all((call, call)), candidate.call_all((call,)), [candidate.call(call)]]
    assert [[o.arrays["output"].item() for o in turn] for turn in turns] == [[1.0, 2.0], [1.0], [1.0]]
    ((first,), (second,)) = candidate.call_at_once([[call], [call]])
    assert {first.arrays["output"].item(), second.arrays["output"].item()} <= {1.0, 2.0}
    assert (candidate.name, candidate.capabilities) == ("numpy", NumpyBackend.capabilities)
