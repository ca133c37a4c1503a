import pytest

from altered import CASE, judged_function
from convcheck import Capabilities, Status
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, find
from plugins import wrong_gradients

NAME = "grad-modes"


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (wrong_gradients.forgets_bias_in_training, "while gradients are recorded"),
        (wrong_gradients.forgets_bias_in_inference, "in inference mode"),
    ],
)
def test_an_output_that_depends_on_the_mode_fails(function, told):
    (found,) = [v for v in judged_function(function, NAME) if v.status in FAILURES]
    assert (found.quantity, found.clauses[0]) == ("output", "C2D-GRAD-9")
    assert told in found.reason


def test_a_function_that_is_the_same_in_every_mode_passes():
    assert {v.status for v in judged_function(wrong_gradients.right, NAME)} == {Status.PASS}


def test_only_what_autograd_records_is_asked():
    assert not find(NAME).calls(Trial(read(CASE), Capabilities(gradients=True)))
