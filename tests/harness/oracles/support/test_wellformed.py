import ml_dtypes
import numpy as np
import pytest

from convcheck import Status
from convcheck.model.calls import Returned
from convcheck.oracles.support.wellformed import fault, misshapen


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3), np.float32), ""),
        (np.zeros((3, 2), np.float32), "float32 (3, 2)"),
        (np.zeros((2, 3)), "float64 (2, 3)"),
        (np.zeros((2, 3), ml_dtypes.bfloat16), "bfloat16 (2, 3)"),
        (None, "None"),
    ],
)
def test_what_came_instead_of_the_promised_array_is_said(array, words):
    assert fault(Returned({"output": array}), "output", (2, 3), "float32") == words


def test_what_is_no_plain_array_is_said_in_the_words_of_who_saw_it():
    assert fault(Returned({}, malformed={"output": "a list"}), "output", (2, 3), "float32") == "a list"
    assert fault(Returned({"grad_input": np.zeros(3)}), "output", (2, 3), "float32") == "None"


def test_the_verdict_says_what_came_and_what_was_due():
    found = misshapen("soak", "output", ("C2D-SHAPE-1",), "the second output", "float32 (3, 2)", (2, 3))
    assert (found.oracle, found.quantity, found.status, found.clauses) == (
        "soak",
        "output",
        Status.FAIL,
        ("C2D-SHAPE-1",),
    )
    assert found.reason == "the second output is float32 (3, 2); expected (2, 3)"
    assert (found.evidence.index, found.evidence.got, found.evidence.expected) == ((), "float32 (3, 2)", "(2, 3)")
