"""Messages survive the way through a socket; bytes that are none are refused, and run nothing."""

import json
import socket
import struct
import threading
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from convcheck import Capabilities, UnavailableError
from convcheck.execution.channel import Channel
from convcheck.execution.codec import MessageError
from convcheck.execution.messages import TO_JUDGE, TO_WORKER, Answer, Calls, Failed, Ready
from convcheck.model.calls import Call, Operation, Raised, Returned, Tensor
from convcheck.plugin.registry_errors import BackendNameError, RegistryError
from convcheck_backends import TorchCpu
from convcheck_reference import DTYPES, Arguments


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield Channel(ours, TO_JUDGE), Channel(theirs, TO_WORKER)
    ours.close()
    theirs.close()


def to_judge(ends, message):
    ends[1].send(message)
    return ends[0].receive(5)


def to_worker(ends, message):
    ends[0].send(message)
    return ends[1].receive(5)


def a_call(array, **arguments):
    tensors = {"x": Tensor(array, "sliced"), "weight": Tensor(array)}
    return Call(Operation.BACKWARD, Arguments(1, 2, **arguments), tensors, "float64", "reused")


def test_calls_arrive_as_they_were_sent(ends):
    array = np.arange(24.0).reshape(1, 2, 3, 4)
    spelled = {"kernel_size": (3, -1), "stride": 1.5, "padding": "same", "dilation": None, "bias": False}
    calls = to_worker(ends, Calls(7, (a_call(array, **spelled), a_call(array[0], kernel_size=2))))
    assert calls.first == 7
    first, second = calls.calls
    assert first.operation is Operation.BACKWARD
    assert first.arguments == Arguments(1, 2, **spelled)
    assert (first.dtype, first.buffers) == ("float64", "reused")
    assert [t.layout for t in first.tensors.values()] == ["sliced", "contiguous"]
    assert np.array_equal(first.tensors["x"].values, array)
    assert np.array_equal(second.tensors["weight"].values, array[0])


def test_an_array_that_several_tensors_share_is_sent_once(ends):
    call = to_worker(ends, Calls(0, (a_call(np.ones(5), kernel_size=1),))).calls[0]
    assert call.tensors["x"].values is call.tensors["weight"].values


def test_what_several_calls_share_arrives_as_one(ends):
    first = a_call(np.ones(5), kernel_size=1)
    second = replace(first, operation=Operation.FORWARD, tensors={"weight": first.tensors["x"]})
    got = to_worker(ends, Calls(0, (first, second, a_call(np.ones(5), kernel_size=1)))).calls
    assert got[0].arguments is got[1].arguments
    assert got[0].tensors["x"] is got[1].tensors["weight"]
    assert got[0].arguments is not got[2].arguments
    assert got[0].tensors["x"] is not got[0].tensors["weight"]


def test_a_judge_takes_no_reference_to_what_stood_before(ends):
    exponent = '{"is":"Raised","kind":"a","message":"b","traceback":{"again":0}}'
    message = f'{{"is":"Answer","number":0,"outcome":{exponent}}}'.encode()
    header = b"[]\n" + message
    ends[1]._socket.sendall(struct.pack("<QQ", len(header), 0) + header)
    with pytest.raises(MessageError):
        ends[0].receive(5)


@pytest.mark.parametrize("dtype", [*DTYPES.values(), np.dtype(">f4"), np.dtype(bool), np.dtype(np.int8)])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3, 5)])
def test_results_of_any_numeric_dtype_arrive_bit_for_bit(ends, dtype, shape):
    rng = np.random.default_rng(0)
    array = np.frombuffer(rng.bytes(30 * dtype.itemsize), dtype)[: int(np.prod(shape))].reshape(shape)
    got = to_judge(ends, Answer(0, Returned({"output": array, "weight": array.T, "bias": None}))).outcome.arrays
    assert got["output"].dtype == dtype
    assert got["output"].tobytes() == array.tobytes()
    assert got["weight"].tobytes() == array.T.tobytes()
    assert got["bias"] is None


def test_large_messages_arrive(ends):
    array = np.arange(3_000_000, dtype=np.float32)
    sender = threading.Thread(target=ends[1].send, args=(Answer(0, Returned({"output": array})),))
    sender.start()
    got = ends[0].receive(30).outcome.arrays["output"]
    sender.join()
    assert np.array_equal(got, array)


def test_outcomes_arrive_with_what_was_noticed(ends):
    returned = Returned({}, {"output": "TypeError: no"}, ("x",), ("output", "bias"))
    got = to_judge(ends, Answer(3, returned))
    assert got.number == 3
    assert (got.outcome.malformed, got.outcome.mutated) == (returned.malformed, returned.mutated)
    assert got.outcome.overwritten == returned.overwritten
    assert to_judge(ends, Answer(0, Raised("Odd", "\udc80 text"))).outcome == Raised("Odd", "? text")


@pytest.mark.parametrize("capabilities", [Capabilities(), TorchCpu.capabilities])
def test_capabilities_arrive_equal(ends, capabilities):
    assert to_judge(ends, Ready("name", capabilities, {"torch": "2"})) == Ready("name", capabilities, {"torch": "2"})


def test_errors_arrive_as_their_class():
    for error in (UnavailableError, BackendNameError):
        assert type(Failed(error.__name__, "why").error()) is error
    assert type(Failed("SystemExit", "why").error()) is RegistryError


def test_an_array_without_numbers_is_not_sent(ends):
    with pytest.raises(MessageError, match="dtype object"):
        ends[1].send(Answer(0, Returned({"output": np.array([[]], object)})))


def framed(message, arrays=(), body=b""):
    header = json.dumps(list(arrays)).encode() + b"\n" + json.dumps(message).encode()
    return struct.pack("<QQ", len(header), len(body)) + header + body


RETURNED = {"is": "Returned", "arrays": {"items": []}, "malformed": {"items": []}}


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 100,
        b"\xff" * 100,
        struct.pack("<QQ", 5, 0) + b"hello",
        struct.pack("<QQ", 2, 2**39) + b"[]",
        framed(None, [["<f4", [5]]]),
        framed(None, [["<f4", [-1]]]),
        framed(None, [["O", [1]]], bytes(64)),
        framed(None, [["<f4,<f4", [1]]], bytes(64)),
        framed({"is": "Popen", "args": ["true"]}),
        framed({"is": "Answer", "number": 0, "outcome": {"array": 3}}),
        framed({"is": "Answer", "number": "0", "outcome": RETURNED}),
        framed({"is": "Answer", "number": 0, "outcome": "fine"}),
        framed({"is": "Answer", "number": 0, "outcome": {**RETURNED, "arrays": {"items": [["output", 1]]}}}),
        framed({"is": "Answer", "number": 0, "outcome": {**RETURNED, "mutated": [1]}}),
        framed({"is": "Answer", "number": 0, "outcome": {**RETURNED, "mutated": 5}}),
        framed({"is": "Answer", "number": 0, "outcome": {**RETURNED, "unknown": []}}),
        framed({"is": "Ready", "name": "x", "capabilities": None, "versions": {"items": []}}),
        struct.pack("<QQ", 100_001, 0) + b"[]\n" + b"[" * 99_998,
    ],
)
def test_what_is_no_message_is_refused(ends, sent):
    ends[1]._socket.sendall(sent)
    with pytest.raises(MessageError):
        ends[0].receive(5)


def test_a_message_that_never_ends_runs_into_the_limit(ends):
    ends[1]._socket.sendall(framed(None)[:-1])
    with pytest.raises(TimeoutError):
        ends[0].receive(0.01)


def test_the_end_of_the_other_side_is_seen(ends):
    ends[1]._socket.sendall(framed(None)[:-1])
    ends[1].close()
    with pytest.raises(EOFError):
        ends[0].receive(5)


def test_bfloat16_keeps_its_name(ends):
    got = to_judge(ends, Answer(0, Returned({"output": np.ones(3, ml_dtypes.bfloat16)})))
    assert got.outcome.arrays["output"].dtype.name == "bfloat16"


@pytest.mark.parametrize(
    ("header", "body", "said"),
    [
        (9, 2**32, "claims 4,294,967,305 bytes; expected at most 20,000,000"),
        (10**8, 0, "claims 100,000,000 bytes before"),
    ],
)
def test_a_message_that_claims_more_than_is_due_is_refused_before_it_is_read(header, body, said):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack("<QQ", header, body))
        with pytest.raises(MessageError, match=said):
            Channel(ours, TO_JUDGE, most_header=2**22).receive(5, lambda: 20_000_000)


class Ended:
    """A process that has ended, though another holds its connection."""

    def __init__(self):
        self.seen, self.told = socket.socketpair()
        self.told.sendall(b"it has")

    def fileno(self):
        return self.seen.fileno()

    def is_over(self):
        return True


def test_what_a_process_said_before_its_end_is_heard_and_nothing_is_waited_for_then():
    ours, theirs = socket.socketpair()
    other = Ended()
    with ours, theirs, other.seen, other.told:
        Channel(theirs, TO_WORKER).send(Answer(3, Raised("ValueError", "no")))
        channel = Channel(ours, TO_JUDGE, other)
        assert channel.receive(60).number == 3
        with pytest.raises(EOFError):
            channel.receive(60)


def test_what_it_said_while_one_looked_whether_it_is_over_is_heard_too():
    ours, theirs = socket.socketpair()
    sent = []

    class EndedMeanwhile(Ended):
        def is_over(self):
            if not sent:
                sent.append(True)
                Channel(theirs, TO_WORKER).send(Answer(3, Raised("ValueError", "no")))
            return True

    other = EndedMeanwhile()
    with ours, theirs, other.seen, other.told:
        channel = Channel(ours, TO_JUDGE, other)
        assert channel.receive(60).number == 3
        with pytest.raises(EOFError):
            channel.receive(60)
