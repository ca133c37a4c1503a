import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.execution.codec import MessageError, decode, encode
from convcheck.execution.messages import TO_JUDGE, TO_WORKER, Answer, Calls, CallsAtOnce, Failed, Ready
from convcheck.model.calls import Raised, Returned


def judged(message):
    """The message as the judge reads it; it has no arrays."""
    return decode(encode(message)[0], bytearray(), TO_JUDGE)


def test_endless_text_is_cut():
    raised = judged(Answer(0, Raised("E" * 10**6, "m" * 10**6, "t" * 10**6))).outcome
    assert {len(text) for text in (raised.kind, raised.message, raised.traceback)} == {20_000}


@pytest.mark.parametrize("claimed", [1, "yes", (True,)])
def test_poison_is_believed_in_one_spelling_only(claimed):
    assert judged(Answer(0, Returned({}, poisoned=claimed))).outcome.poisoned is False
    assert judged(Answer(0, Returned({}, poisoned=True))).outcome.poisoned is True


@pytest.mark.parametrize("called", [None, (), ("scipy.signal.convolve",)])
def test_nobody_looked_is_told_from_nothing_was_called(called):
    assert judged(Answer(0, Returned({}, called=called))).outcome.called == called


@pytest.mark.parametrize(
    "message",
    [
        Failed("RegistryError", 5),
        Ready(5, Capabilities(), {}),
        Ready("name", Capabilities(), {"torch": 2}),
        Answer(True, Returned({})),
        Answer(0, Returned({"output": "no array"})),
        Answer(0, Returned({}, aliased=("output", 5))),
        Answer(0, Returned({}, called=(5,))),
        Answer(0, Raised("kind", None)),
    ],
    ids=repr,
)
def test_a_field_of_another_type_is_refused(message):
    with pytest.raises(MessageError):
        judged(message)


def test_capabilities_that_contradict_themselves_are_refused():
    lying = Capabilities()
    object.__setattr__(lying, "dtypes", ("int3",))
    with pytest.raises(MessageError):
        judged(Ready("name", lying, {}))


def test_each_side_refuses_what_only_the_other_may_be_sent():
    with pytest.raises(MessageError):
        judged(Calls(0, ()))
    with pytest.raises(MessageError):
        judged(CallsAtOnce(0, ((), ())))
    with pytest.raises(MessageError):
        decode(encode(Answer(0, Returned({"output": None})))[0], bytearray(), TO_WORKER)


def test_an_array_may_be_missing():
    header, arrays = encode(Answer(0, Returned({"grad_bias": None, "grad_weight": np.ones(2)})))
    found = decode(header, bytearray(arrays[0].tobytes()), TO_JUDGE).outcome.arrays
    assert found["grad_bias"] is None
    assert found["grad_weight"].tolist() == [1, 1]
