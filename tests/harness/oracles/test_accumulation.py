import pytest

from altered import CASE, judged_function
from convcheck import Capabilities, Status
from convcheck.model.levels import Level
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, find
from convcheck.oracles.levels import level_of
from plugins import wrong_gradients

NAME = "gradients-accumulated"


def test_a_kernel_that_adds_to_what_is_there_by_itself_fails():
    (found,) = [v for v in judged_function(wrong_gradients.adds_twice, NAME) if v.status in FAILURES]
    assert (found.quantity, found.clauses[0]) == ("gradients", "C2D-GRAD-10")
    assert found.reason.startswith("grad_weight in .grad after")
    assert level_of(read(CASE), found) is Level.STATE


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_torch_adds_up_what_is_right(dtype):
    found = judged_function(wrong_gradients.right, NAME, f"{CASE},dtype={dtype}", dtypes=(dtype,))
    gradients = [v for v in found if v.oracle == NAME]
    assert len(gradients) == 3
    assert not [v for v in found if v.status in FAILURES]
    assert dtype == "float16" or {v.status for v in gradients} == {Status.PASS}


def test_only_what_autograd_records_is_asked():
    assert not find(NAME).calls(Trial(read(CASE), Capabilities(gradients=True)))
