import pytest

from convcheck.oracles import PRECISION
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.priority import in_order, may_follow
from stand_ins import CRASHED, GRAD_INPUT, IMPRECISE, OUTPUT, REFUSED

RELATION, MODULE = FailureSignature("metamorphic-flip", "output"), FailureSignature("module", "module")
SPECIAL, IMPRECISE_GRADIENT = FailureSignature("special", "output"), FailureSignature(PRECISION, "grad_input")


def test_what_others_follow_from_comes_first_whatever_came_up_first():
    right = [OUTPUT, CRASHED, GRAD_INPUT, IMPRECISE, IMPRECISE_GRADIENT, SPECIAL, MODULE, RELATION]
    counts = {signature: range(40) for signature in right} | dict.fromkeys((IMPRECISE, IMPRECISE_GRADIENT), ())
    for given in (right, right[::-1], sorted(right, key=str)):
        assert in_order({signature: counts[signature] for signature in given}) == right


@pytest.mark.parametrize(
    ("on_reals", "first"),
    [(0, OUTPUT), (3, OUTPUT), (4, IMPRECISE), (40, IMPRECISE)],
    ids=["none", "few", "one in ten", "many"],
)
def test_precision_is_looked_at_first_where_many_cases_are_wrong_on_reals_only(on_reals, first):
    by_signature = dict.fromkeys((RELATION, GRAD_INPUT, OUTPUT, IMPRECISE), ())
    by_signature |= {OUTPUT: range(40), IMPRECISE: range(on_reals)}
    order = in_order(by_signature)
    assert order.index(first) == min(order.index(OUTPUT), order.index(IMPRECISE))
    assert order[-1] == RELATION


def test_lost_precision_of_one_quantity_does_not_put_off_another():
    by_signature = {IMPRECISE_GRADIENT: range(40), GRAD_INPUT: range(40), IMPRECISE: range(40), OUTPUT: range(400)}
    order = in_order(by_signature | {IMPRECISE: range(3)})
    assert order[0] == OUTPUT
    assert order.index(IMPRECISE_GRADIENT) < order.index(GRAD_INPUT)


def test_a_call_that_only_an_oracle_makes_waits_for_that_oracle():
    asked = FailureSignature(CRASHED.kind, "call", "soak")
    assert in_order({asked: range(9), IMPRECISE: range(9)}) == [IMPRECISE, asked]
    assert in_order({IMPRECISE: range(9), CRASHED: range(9)}) == [CRASHED, IMPRECISE]


def test_failures_follow_from_what_is_looked_at_before_them_only():
    assert may_follow(IMPRECISE, OUTPUT)
    assert may_follow(MODULE, OUTPUT)
    assert not may_follow(OUTPUT, IMPRECISE)
    assert not may_follow(OUTPUT, OUTPUT)
    assert not may_follow(REFUSED, OUTPUT)
