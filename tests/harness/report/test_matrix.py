from dataclasses import replace

import pytest

from convcheck.model.levels import Level, level_of_clause
from convcheck.model.verdicts import Status
from convcheck.report.matrix import cell, clause_verdict, clauses_in_order
from convcheck_reference.clauses import CLAUSES
from full_record import ABSENT, RECORD, RIGHT, WRONG

ALL = {
    "C2D-SHAPE-1": ("fail: 4 of 11", "pass: 20"),
    "C2D-SHAPE-2": ("unexpected pass: 5", "not judged"),
    "C2D-SHAPE-3": ("known failure: 8", "not judged"),
    "C2D-SHAPE-4": ("vacuous", "pass: 1"),
    "C2D-SHAPE-5": ("not applicable", "not judged"),
    "C2D-PURE-1": ("hung: 2 of 2, state", "not judged"),
    "C2D-PURE-2": ("unwritten output: 2 of 2, IEEE", "not judged"),
    "C2D-PURE-3": ("crashed: 1 of 1", "not judged"),
    "C2D-ERROR-1": ("wrongly accepted: 2 of 2", "not judged"),
    "C2D-ERROR-2": ("wrongly refused: 2 of 2, computes", "not judged"),
}


def cells(record):
    found = {c.id: tuple(cell(record, name, c.id) for name in (WRONG, RIGHT)) for c in clauses_in_order(record)}
    return {clause: words for clause, words in found.items() if words != ("not judged", "not judged")}


def test_a_clause_verdict_is_that_of_the_backend_asked_for():
    assert clause_verdict(RECORD, WRONG, "C2D-SHAPE-1") == (Status.FAIL, 11, 4)
    assert clause_verdict(RECORD, RIGHT, "C2D-SHAPE-1") == (Status.PASS, 20, 0)
    assert clause_verdict(RECORD, ABSENT, "C2D-SHAPE-1") == (None, 0, 0)


def test_a_cell_says_of_which_level_a_failure_is_where_its_clause_does_not():
    assert cells(RECORD) == ALL


def test_every_clause_is_there_once_those_of_the_most_important_level_first():
    found = clauses_in_order(RECORD)
    assert sorted(found, key=CLAUSES.index) == [clause for clause in CLAUSES if not clause.of_extension]
    ranks = [level_of_clause(clause.id).rank for clause in found]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("level", Level)
def test_up_to_a_level_there_are_its_clauses_and_failures_and_no_other(level):
    shown = cells(replace(RECORD, level=level))
    assert all(level_of_clause(clause).within(level) for clause in shown)
    assert ("C2D-ERROR-1" in shown) is Level.REFUSES.within(level)
    assert ("C2D-PURE-1" in shown) is Level.STATE.within(level)
    assert ("C2D-PURE-2" in shown) is Level.IEEE.within(level)
    # what passed besides a failure that does not count
    assert shown["C2D-SHAPE-2"][0] == ("unexpected pass: 5" if level is Level.STATE else "pass: 5")
    assert shown["C2D-SHAPE-1"] == ALL["C2D-SHAPE-1"]


def test_clauses_of_extensions_are_shown_where_they_were_judged():
    judged = replace(RECORD.counts[0], clause="C2D-EXT-2")
    shown = clauses_in_order(replace(RECORD, counts=(*RECORD.counts, judged)))
    assert [clause.id for clause in shown if clause.of_extension] == ["C2D-EXT-2"]
