from altered import CASE, judged_function
from convcheck import Capabilities, Status
from convcheck.model.levels import Level
from convcheck.model.profiles import WINOGRAD_F4
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, find
from convcheck.oracles.levels import level_of
from plugins import wrong_gradients

NAME = "gradients-retained"


def test_a_kernel_that_frees_what_the_second_pass_needs_fails_in_every_gradient():
    found = [v for v in judged_function(wrong_gradients.frees_its_workspace, NAME) if v.status in FAILURES]
    assert [v.reason.partition(" ")[0] for v in found] == ["grad_input", "grad_weight", "grad_bias"]
    assert {(v.clauses[0], level_of(read(CASE), v)) for v in found} == {("C2D-GRAD-11", Level.STATE)}


def test_two_passes_of_what_is_right_add_up():
    found = judged_function(wrong_gradients.right, NAME)
    assert {v.status for v in found} == {Status.PASS}


def test_where_integers_are_not_exact_nothing_is_judged():
    found = judged_function(wrong_gradients.right, NAME, "v1,x=2x4x7x6,out=6,k=3", profiles={"float32": WINOGRAD_F4})
    assert {v.status for v in found if v.oracle == NAME} <= {Status.PASS, Status.NOT_APPLICABLE, Status.VACUOUS}
    assert Status.NOT_APPLICABLE in {v.status for v in found}


def test_only_what_autograd_records_is_asked():
    assert not find(NAME).calls(Trial(read(CASE), Capabilities(gradients=True)))
