from itertools import combinations

import numpy as np
import pytest

from altered import CASE, Altered, judged_function, off_by, verdicts
from convcheck import Capabilities, Gradients, Status
from convcheck.judging.blocks import generate
from convcheck.model.calls import OPERANDS
from convcheck.model.levels import Level
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, due, find
from convcheck.oracles.levels import level_of
from convcheck_backends import NumpyBackend
from plugins import wrong_gradients

NAME = "gradients-partial"
ORACLE = find(NAME)
BOTH = Capabilities(gradients=True, partial_gradients=True)
SUBSETS = [some for count in (1, 2) for some in combinations(OPERANDS, count)]


class Partial(NumpyBackend):
    """The reference, one partial gradient of which is off by one where some operands are asked for."""

    def __init__(self, some, at):
        self._some, self._at = some, at

    def conv2d_partial_backward(self, wanted, *tensors):
        found = super().conv2d_partial_backward(wanted, *tensors)
        change = off_by(1) if wanted == self._some else lambda a: a
        return Gradients(*(change(a) if name == self._at else a for name, a in zip(OPERANDS, found, strict=True)))


def failing(backend, token=CASE):
    return [v for v in verdicts(backend, token, only=("parity", NAME)) if v.status in FAILURES]


@pytest.mark.parametrize("some", SUBSETS, ids=" ".join)
def test_one_wrong_element_of_one_gradient_of_one_choice_fails_and_its_reason_names_the_choice(some):
    for name in some:
        (found,) = failing(Partial(some, name))
        assert f"gradients of {' and '.join(some)} alone are asked for" in found.reason
        assert (found.clauses[0], level_of(read(CASE), found)) == ("C2D-GRAD-8", Level.COMPUTES)


def test_the_reference_passes_in_all_three():
    found = verdicts(NumpyBackend(), only=(NAME,))
    assert [(v.quantity, v.status) for v in found] == [
        (quantity, Status.PASS) for quantity in ("grad_input", "grad_weight", "grad_bias")
    ]


@pytest.mark.parametrize("missing", [None, np.zeros(3, np.float32)], ids=["none", "shape"])
def test_a_gradient_that_is_not_there_fails(missing):
    class Missing(NumpyBackend):
        def conv2d_partial_backward(self, wanted, *tensors):
            return super().conv2d_partial_backward(wanted, *tensors)._replace(weight=missing)

    assert [v.quantity for v in failing(Missing())] == ["grad_weight"]


def test_a_layer_without_bias_has_two_choices():
    trial = Trial(read(f"{CASE},bias=false"), BOTH)
    assert [call.wanted for call in ORACLE.calls(trial).values()] == [("x",), ("weight",)]
    assert [call.wanted for call in ORACLE.calls(Trial(read(CASE), BOTH)).values()] == SUBSETS


def test_who_cannot_be_asked_is_not():
    assert not ORACLE.calls(Trial(read(CASE), Capabilities(gradients=True)))
    assert not ORACLE.calls(Trial(read(CASE), Capabilities(partial_gradients=True)))


def test_a_wrong_whole_gradient_fails_here_too():
    wrong = Altered(gradients=lambda g: g._replace(weight=off_by(1)(g.weight)))
    assert [v.quantity for v in failing(wrong)] == ["grad_weight"]


def test_what_needs_no_gradient_decides_for_functions_on_torch_tensors_as_well():
    assert {v.status for v in judged_function(wrong_gradients.right, NAME)} == {Status.PASS}
    found = judged_function(wrong_gradients.skips_the_weight, NAME)
    assert [(v.oracle, v.quantity) for v in found if v.status in FAILURES] == [(NAME, "grad_weight")]


def test_a_function_that_raises_where_some_gradients_are_asked_for_refuses_what_is_legal():
    found = judged_function(wrong_gradients.takes_all_or_nothing, NAME)
    assert {(v.oracle, v.status) for v in found if v.status in FAILURES} == {(NAME, Status.WRONGLY_REFUSED)}


def test_a_few_hundred_cases_ask_every_choice_in_many_kinds_of_layer():
    asked = [c for c in generate(BOTH, run_seed=0, block=0, size=150) if c.is_legal_call and ORACLE in due(c)]
    calls = [(case, call.wanted) for case in asked for call in ORACLE.calls(Trial(case, BOTH)).values()]
    for some in SUBSETS:
        params = [case.params for case, wanted in calls if wanted == some]
        assert len(params) >= 3
        assert len({(p.groups > 1, p.stride > (1, 1), p.dilation > (1, 1), p.padding_mode) for p in params}) >= 3
