import pytest

from convcheck.model.levels import LAST, MEANINGS, Level, Standing, level_of_clause
from convcheck_reference.clauses import CLAUSES


def test_the_order_is_that_of_importance():
    names = ["computes", "IEEE", "precision", "refuses", "state"]
    assert [level.label for level in Level] == names
    assert [level.rank for level in Level] == [0, 1, 2, 3, 4]
    assert list(MEANINGS) == list(Level)
    assert LAST is Level.STATE


def test_levels_are_asked_for_up_to_one():
    within = {last: [level for level in Level if level.within(last)] for last in Level}
    assert within[Level.COMPUTES] == [Level.COMPUTES]
    assert within[Level.PRECISION] == [Level.COMPUTES, Level.IEEE, Level.PRECISION]
    assert within[LAST] == list(Level)


@pytest.mark.parametrize(
    ("clause", "level"),
    [
        ("C2D-SHAPE-1", Level.COMPUTES),
        ("C2D-ARITH-1", Level.COMPUTES),
        ("C2D-ARITH-2", Level.PRECISION),
        ("C2D-SPECIAL-1", Level.IEEE),
        ("C2D-SPECIAL-4", Level.IEEE),
        ("C2D-SPECIAL-5", Level.PRECISION),
        ("C2D-ERROR-1", Level.REFUSES),
        ("C2D-ERROR-12", Level.REFUSES),
        ("C2D-ERROR-13", Level.COMPUTES),  # what is legal is accepted
        ("C2D-PURE-3", Level.COMPUTES),
        ("C2D-PURE-4", Level.STATE),
    ],
)
def test_a_clause_speaks_at_one_level(clause, level):
    assert level_of_clause(clause) is level


def test_every_level_has_clauses():
    assert {level_of_clause(clause.id) for clause in CLAUSES} == set(Level)


@pytest.mark.parametrize(
    ("standing", "judged", "fails"),
    [
        ({}, False, False),
        ({"known": 1, "outdated": 1}, False, False),
        ({"passed": 1}, True, False),
        ({"failed": 1}, True, False),  # for a reason of another level
        ({"findings": 1}, True, True),
        ({"failed": 1, "kinds": ("a",), "kinds_let_through": ("a",)}, True, True),
    ],
)
def test_what_was_not_judged_neither_fails_nor_holds(standing, judged, fails):
    found = Standing(level=Level.REFUSES, **standing)
    assert (found.judged, found.fails) == (judged, fails)
