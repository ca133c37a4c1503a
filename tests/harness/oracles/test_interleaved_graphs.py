from altered import CASE, judged_function
from convcheck import Capabilities, Status
from convcheck.model.levels import Level
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, find
from convcheck.oracles.levels import level_of
from plugins import wrong_gradients

NAME = "gradients-interleaved"


def test_a_kernel_that_keeps_operands_outside_of_the_graph_fails():
    found = [v for v in judged_function(wrong_gradients.keeps_the_last_operands, NAME) if v.status in FAILURES]
    assert [v.reason.partition(" ")[0] for v in found] == ["grad_input", "grad_weight"]
    assert {(v.clauses[0], level_of(read(CASE), v)) for v in found} == {("C2D-GRAD-12", Level.STATE)}


def test_graphs_that_keep_their_own_operands_pass():
    assert {v.status for v in judged_function(wrong_gradients.right, NAME)} == {Status.PASS}
    # without a bias, and where results of another pass would not show but in the sign
    assert {v.status for v in judged_function(wrong_gradients.right, NAME, f"{CASE},bias=false")} == {Status.PASS}


def test_only_what_autograd_records_is_asked():
    assert not find(NAME).calls(Trial(read(CASE), Capabilities(gradients=True)))
