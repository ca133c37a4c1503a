from dataclasses import replace

import pytest

from convcheck import Status
from convcheck.model.token import read
from convcheck.oracles import PRECISION
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.priority import Group, grouped, in_order, may_follow
from stand_ins import CRASHED, GRAD_INPUT, IMPRECISE, OUTPUT, REFUSED, TOKENS, failure, failures, verdict

RELATION, MODULE = FailureSignature("metamorphic-flip", "output"), FailureSignature("module", "module")
SPECIAL, IMPRECISE_GRADIENT = FailureSignature("special", "output"), FailureSignature(PRECISION, "grad_input")
ILLEGAL = "v1,x=2x4x5x6,out=4,k=1,g=0"


def some(number, **changes):
    return [failure(replace(read(TOKENS[0]), seed=at, **changes)) for at in range(number)]


def order_of(numbers):
    """The order of the signatures of legal failures, by how many there are of each."""
    groups = in_order({Group(s): some(number) for s, number in numbers.items()})
    assert all(group.legal for group in groups)
    return [group.signature for group in groups]


def test_what_others_follow_from_comes_first_whatever_came_up_first():
    right = [OUTPUT, CRASHED, GRAD_INPUT, IMPRECISE, IMPRECISE_GRADIENT, SPECIAL, MODULE, RELATION, REFUSED]
    counts = dict.fromkeys(right, 40) | dict.fromkeys((IMPRECISE, IMPRECISE_GRADIENT), 0)
    for given in (right, right[::-1], sorted(right, key=str)):
        assert order_of({signature: counts[signature] for signature in given}) == right


@pytest.mark.parametrize(
    ("on_reals", "first"),
    [(0, OUTPUT), (3, OUTPUT), (4, IMPRECISE), (40, IMPRECISE)],
    ids=["none", "few", "one in ten", "many"],
)
def test_precision_is_looked_at_first_where_many_cases_are_wrong_on_reals_only(on_reals, first):
    order = order_of({RELATION: 0, GRAD_INPUT: 0, OUTPUT: 40, IMPRECISE: on_reals})
    assert order.index(first) == min(order.index(OUTPUT), order.index(IMPRECISE))
    assert order[-1] == RELATION


def test_flushed_subnormals_put_off_no_wrong_integers():
    groups = {Group(IMPRECISE): some(400, regime="subnormal"), Group(OUTPUT): some(40)}
    assert in_order(groups)[0] == Group(OUTPUT)


def test_lost_precision_of_one_quantity_does_not_put_off_another():
    order = order_of({IMPRECISE_GRADIENT: 40, GRAD_INPUT: 40, IMPRECISE: 3, OUTPUT: 400})
    assert order[0] == OUTPUT
    assert order.index(IMPRECISE_GRADIENT) < order.index(GRAD_INPUT)


def test_a_call_that_only_an_oracle_makes_waits_for_that_oracle():
    asked = FailureSignature(CRASHED.kind, "call", "soak")
    assert order_of({asked: 9, IMPRECISE: 9}) == [IMPRECISE, asked]
    assert order_of({IMPRECISE: 9, CRASHED: 9}) == [CRASHED, IMPRECISE]


def test_failures_are_apart_by_legality_and_illegal_ones_by_clause_after_all_legal_ones():
    died = verdict("parity", "call", Status.CRASHED, ("C2D-DIL-2", "C2D-PURE-3"))
    legal = [failure(TOKENS[0], died), *failures(REFUSED, TOKENS[:1])]
    illegal = [
        failure(ILLEGAL, replace(died, clauses=clauses))
        for clauses in (("C2D-ERROR-3", "C2D-PURE-3"), ("C2D-PURE-5", "C2D-ERROR-3", "C2D-PURE-3"), ("C2D-ERROR-1",))
    ]
    order = in_order(grouped([*illegal, *legal[::-1]]))
    assert order == [Group(CRASHED), Group(REFUSED), Group(CRASHED, "C2D-ERROR-1"), Group(CRASHED, "C2D-ERROR-3")]
    assert [group.refusal for group in order] == [False, True, False, False]


def test_failures_follow_from_what_is_looked_at_before_them_only():
    assert may_follow(IMPRECISE, OUTPUT)
    assert may_follow(MODULE, OUTPUT)
    assert not may_follow(OUTPUT, IMPRECISE)
    assert not may_follow(OUTPUT, OUTPUT)
    assert not may_follow(REFUSED, OUTPUT)


def test_memory_errors_on_legal_layers_are_apart_and_first():
    inside = verdict("parity", "call", Status.CRASHED, ("C2D-PAD-1", "C2D-PURE-3"))
    outside = replace(inside, clauses=("C2D-PURE-5", *inside.clauses))
    groups = grouped([failure(TOKENS[0]), failure(TOKENS[1], inside), failure(TOKENS[2], outside)])
    assert in_order(groups)[0] == Group(CRASHED, apart="C2D-PURE-5")
    assert len(groups) == 3
