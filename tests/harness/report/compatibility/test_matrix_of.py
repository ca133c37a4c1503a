from dataclasses import replace

import pytest

from convcheck.model.levels import Level
from convcheck.model.matrix import State
from convcheck.model.passes import Pass
from convcheck.model.record import NOT_LOOKED_AT, Count
from convcheck.model.verdicts import JUDGED as JUDGED_STATUSES
from convcheck.model.verdicts import Status
from convcheck.report.compatibility.matrix_of import matrix_of
from convcheck_reference.clauses import CLAUSES
from full_matrix import JUDGED, MATRIX, cell, count
from full_record import ABSENT, NOT_LOOKED_INTO, RECORD, RIGHT, WRONG


def test_every_backend_is_a_column_and_who_is_absent_says_why():
    assert [engine.name for engine in MATRIX.engines] == [WRONG, RIGHT, ABSENT]
    assert [engine.name for engine in MATRIX.judged] == [WRONG, RIGHT]
    assert MATRIX.engines[2].unavailable.startswith("no such device")
    assert (MATRIX.engines[2].cells, MATRIX.engines[2].levels) == ((), ())


@pytest.mark.parametrize(
    ("clause", "state", "cases", "wrong"),
    [
        ("C2D-SHAPE-1", State.FAIL, 11, 4),
        ("C2D-SHAPE-2", State.OUTDATED, 5, 0),
        ("C2D-SHAPE-3", State.KNOWN, 8, 6),
        ("C2D-SHAPE-4", State.NOT_JUDGED, 0, 0),
        ("C2D-SHAPE-5", State.NOT_APPLICABLE, 0, 0),
        ("C2D-PURE-3", State.FAIL, 1, 1),
        ("C2D-PAD-1", State.NOT_JUDGED, 0, 0),
    ],
)
def test_a_cell_says_what_came_of_its_clause(clause, state, cases, wrong):
    found = cell(MATRIX, clause)
    assert (found.state, found.cases, found.wrong) == (state, cases, wrong)


def test_a_pass_is_said_only_where_some_case_could_tell():
    judged = {(c.backend, c.clause) for c in RECORD.counts if c.status in JUDGED_STATUSES and c.cases}
    for engine in MATRIX.judged:
        passed = {(engine.name, each.clause) for each in engine.cells if each.state is State.PASS}
        assert passed <= judged
    assert cell(MATRIX, "C2D-SHAPE-4", 1).state is State.PASS


def test_what_was_not_judged_says_why():
    assert cell(MATRIX, "C2D-SHAPE-4").reason == "every element is 0"
    assert cell(MATRIX, "C2D-SHAPE-5").reason == "12e5; no gradients"


def test_cells_lead_to_their_findings_by_number_and_these_to_their_run():
    found = [MATRIX.findings[number - 1] for number in cell(MATRIX, "C2D-SHAPE-1").findings]
    assert [entry.finding.clause for entry in found] == ["C2D-SHAPE-1"] * 2
    assert [(entry.run, entry.place) for entry in found] == [("nightly", 1), ("nightly", 2)]
    assert all(RECORD.findings[e.place - 1].clause == e.finding.clause for e in MATRIX.findings)


def test_what_fails_in_another_clause_leads_to_the_finding_that_it_is_counted_under():
    elsewhere = Count(backend=WRONG, clause="C2D-PAD-1", status=Status.ELSEWHERE, reason="", cases=2)
    found = cell(matrix_of([replace(RECORD, counts=(*RECORD.counts, elsewhere))]), "C2D-PAD-1")
    assert (found.state, found.wrong) == (State.ELSEWHERE, 2)
    assert MATRIX.findings[found.findings[0] - 1].finding.verdict.clauses == ("C2D-SHAPE-1", "C2D-PAD-1")


def test_a_failure_beyond_the_level_is_no_pass_and_no_failure():
    found = matrix_of([RECORD], Level.COMPUTES)
    assert cell(found, "C2D-PURE-1").state is State.BEYOND
    assert cell(found, "C2D-SHAPE-1").state is State.FAIL
    assert cell(found, "C2D-SHAPE-2").state is State.PASS  # an entry of a level that does not count is outdated
    states = {each.level: each.state for each in found.engines[0].levels}
    assert states[Level.COMPUTES] is State.FAIL
    assert states[Level.STATE] is State.BEYOND


def test_a_cell_is_told_apart_by_dtype_and_pass():
    by_pass = {(each.of_pass, each.dtype): each for each in cell(MATRIX, "C2D-SHAPE-1").passes}
    assert by_pass[Pass.FORWARD, "float32"].state is State.FAIL
    assert by_pass[Pass.FORWARD, "float16"].state is State.PASS
    assert by_pass[Pass.DOUBLE_BACKWARD, "float16"].state is State.ELSEWHERE  # no finding is about it
    assert cell(MATRIX, "C2D-SHAPE-3").passes[0].state is State.KNOWN


def test_a_failure_that_nobody_looked_at_fails_in_its_dtype():
    record = replace(NOT_LOOKED_INTO, passes=(count("C2D-STRIDE-2", "float32", Pass.BACKWARD, 0, 1),))
    found = cell(matrix_of([record]), "C2D-STRIDE-2")
    assert any(c.reason == NOT_LOOKED_AT and c.clause == "C2D-STRIDE-2" for c in record.counts)
    assert (found.state, found.passes[0].state, found.findings) == (State.FAIL, State.FAIL, ())


def test_a_clause_that_fails_as_a_consequence_alone_does_not_pass():
    record = replace(RECORD, passes=(count("C2D-SHAPE-1", "float32", Pass.BACKWARD, 15, 5, backend=RIGHT),))
    found = cell(matrix_of([record]), "C2D-SHAPE-1", 1)
    assert (found.state, found.wrong) == (State.ELSEWHERE, 5)


def test_runs_stand_side_by_side_and_columns_alike_name_theirs():
    later = replace(JUDGED, name="later")
    both = matrix_of([JUDGED, later])
    assert len(both.engines) == 6
    assert len(set(both.labels)) == 6
    assert "numpy (later)" in both.labels
    assert [entry.number for entry in both.findings] == list(range(1, 19))
    assert both.findings[9].run == "later"
    assert cell(both, "C2D-SHAPE-1", 3).findings == (10, 11)


def test_clauses_of_extensions_are_there_where_one_was_judged():
    plain = [clause.id for clause in CLAUSES if not clause.of_extension]
    assert sorted(MATRIX.clauses) == sorted(plain)
    judged = replace(RECORD.counts[0], clause="C2D-EXT-2")
    assert "C2D-EXT-2" in matrix_of([replace(RECORD, counts=(*RECORD.counts, judged))]).clauses


def test_a_matrix_conforms_where_something_was_judged_and_nothing_is_wrong():
    right = replace(
        RECORD,
        backends=RECORD.backends[1:2],
        findings=(),
        counts=tuple(c for c in RECORD.counts if c.backend == RIGHT),
        levels=tuple(c for c in RECORD.levels if c.backend == RIGHT),
    )
    assert matrix_of([right]).conforms
    assert not matrix_of([replace(right, interrupted=True)]).conforms
    assert not matrix_of([replace(right, counts=(), levels=())]).conforms
    assert not matrix_of([replace(right, backends=RECORD.backends[2:])]).conforms
    assert not MATRIX.conforms
