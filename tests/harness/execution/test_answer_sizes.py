"""An answer has a size: what is due fits well, what is far larger is not sent."""

import numpy as np
import pytest

from convcheck.execution.answer_sizes import bounded, most_bytes
from convcheck.model.calls import Call, Operation, Raised, Returned, Tensor
from convcheck.model.token import read
from convcheck.oracles import Trial, applicable, extra_calls
from convcheck_backends import NumpyBackend
from convcheck_reference import Arguments


@pytest.mark.parametrize("token", ["v1,x=2x3x9x9,out=4,k=3,p=2x1", "v1,x=1x1x500x500,out=64,k=1,p=9"])
def test_every_result_that_is_due_fits(token):
    trial = Trial(read(token), NumpyBackend.capabilities)
    calls = {**trial.calls, **extra_calls(trial, applicable(trial.case))}
    for call in calls.values():
        several = 3 * max(tensor.values.nbytes for tensor in call.tensors.values())
        output = 8 * int(np.prod(trial.shape("output"))) * 2
        assert several + output < most_bytes(call)


@pytest.mark.parametrize(
    "spelled",
    [{"padding": "same"}, {"padding": None}, {"padding": (1, "x")}, {"kernel_size": 1.5}, {"out_channels": "4"}],
)
def test_a_layer_spelled_as_it_may_not_be_has_a_size_too(spelled):
    arguments = Arguments(**{"in_channels": 1, "out_channels": 1, "kernel_size": 1, **spelled})
    call = Call(Operation.FORWARD, arguments, {"x": Tensor(np.zeros((1, 1, 2, 2), np.float32))})
    assert 0 < most_bytes(call) < 2**25


def test_results_that_are_far_too_large_are_named_in_place_of_being_sent():
    call = Call(Operation.FORWARD, Arguments(1, 1, 1), {"x": Tensor(np.zeros((1, 1, 2, 2), np.float32))})

    def returned(elements):
        return Returned({"output": np.broadcast_to(np.float32(0), (elements, 2)), "grad_bias": None})

    small = returned(1000)
    assert bounded(small, call) is small
    cut = bounded(returned(10**7), call)
    assert cut.arrays == {"output": None, "grad_bias": None}
    assert cut.malformed["output"].startswith("it has shape (10000000, 2) and 80,000,000 bytes; expected fewer than 8,")
    raised = Raised("ValueError", "no")
    assert bounded(raised, call) is raised
