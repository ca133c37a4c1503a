"""Whatever a message holds comes back equal, and whatever bytes arrive are a message or are refused."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convcheck.execution.codec import ALIGNMENT, MessageError, decode, dtype_name, encode, padding
from convcheck.execution.messages import TO_JUDGE, TO_WORKER, Calls
from convcheck.model.calls import OPERANDS, Call, Mode, Operation, Tensor
from convcheck.model.case import LAYOUTS
from convcheck_reference import DTYPES, Arguments

SPELLED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=9)),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
ARRAYS = st.builds(
    lambda shape, dtype, seed: np.frombuffer(
        np.random.default_rng(seed).bytes(int(np.prod(shape)) * dtype.itemsize), dtype
    ).reshape(shape),
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
    st.sampled_from([*DTYPES.values(), np.dtype(">i2"), np.dtype(bool)]),
    st.integers(0, 99),
)
TENSORS = st.builds(Tensor, ARRAYS, st.sampled_from(LAYOUTS), st.sampled_from(["heap", "guard_after", "read_only"]))
ARGUMENTS = st.builds(Arguments, st.just(1), st.just(2), SPELLED, padding=SPELLED)


@st.composite
def several_calls(draw):
    """Calls that share some of their layers and tensors."""
    layers, tensors = (st.sampled_from(draw(st.lists(some, min_size=1, max_size=3))) for some in (ARGUMENTS, TENSORS))
    call = st.builds(
        Call,
        st.sampled_from(Operation),
        layers,
        st.dictionaries(st.sampled_from(["x", "weight", "bias", "grad_output"]), tensors),
        st.sampled_from(list(DTYPES)),
        st.sampled_from(["fresh", "reused"]),
        st.sampled_from([OPERANDS, ("weight", "bias"), ("x",)]),
        st.sampled_from(Mode),
    )
    return tuple(draw(st.lists(call, max_size=3)))


def crossed(message, makers):
    """The message as the other side reads it."""
    header, arrays = encode(message)
    body = bytearray(b"".join(array.tobytes() + bytes(padding(array)) for array in arrays))
    return decode(header, body, makers)


def plain(call):
    tensors = {
        n: (t.values.tobytes(), t.values.dtype, t.values.shape, t.layout, t.memory) for n, t in call.tensors.items()
    }
    return call.operation, repr(call.arguments), tensors, call.dtype, call.buffers, call.wanted, call.mode


@settings(deadline=None)
@given(several_calls(), st.integers(0, 2**40))
def test_calls_come_back_equal_whatever_they_hold(calls, first):
    got = crossed(Calls(first, calls), TO_WORKER)
    assert got.first == first
    assert [plain(call) for call in got.calls] == [plain(call) for call in calls]


@settings(deadline=None)
@given(ARRAYS)
def test_the_next_array_is_aligned(array):
    assert (array.nbytes + padding(array)) % ALIGNMENT == 0
    assert 0 <= padding(array) < ALIGNMENT


HEADER, _ = encode(Calls(0, (Call(Operation.FORWARD, Arguments(1, 1, 1), {"x": Tensor(np.ones(3))}),)))


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(HEADER) - 1), st.binary(max_size=4), st.binary(max_size=64))
@example(0, b"", b"")
def test_a_damaged_message_is_refused_or_read_and_nothing_else(at, damage, body):
    header = HEADER[:at] + damage + HEADER[at + len(damage) :]
    for makers in (TO_WORKER, TO_JUDGE):
        try:
            decode(header, bytearray(body), makers)
        except MessageError:
            continue


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=100))
def test_bytes_without_meaning_are_refused_or_plain_values(header, body):
    try:
        found = decode(header, bytearray(body), TO_JUDGE)
    except MessageError:
        return
    assert isinstance(found, int | float | str | list | dict | None)


class Trap:
    """Would be made by whoever looks a class up by its name in place of `makers`."""

    def __init__(self, **_):
        pytest.fail("made")


@pytest.mark.parametrize("kind", ["Trap", "Popen", "builtins.exec", "Call"])
def test_only_what_the_reader_knows_is_made(kind):
    with pytest.raises(MessageError):
        decode(b"[]\n" + json.dumps({"is": kind, "args": "true"}).encode(), bytearray(), TO_JUDGE)


@pytest.mark.parametrize("dtype", ["O", "U3", "S3", "V4", "M8[s]", [("a", "f4")]])
def test_what_is_no_number_has_no_name_to_cross_under(dtype):
    with pytest.raises(MessageError, match="expected numbers"):
        dtype_name(np.dtype(dtype))
