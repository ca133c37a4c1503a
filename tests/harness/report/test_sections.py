from dataclasses import replace

import pytest

from convcheck.model.levels import MEANINGS, Level, level_of_clause
from convcheck.model.record import Count
from convcheck.model.verdicts import Status
from convcheck.report.levels import HEADERS, rows
from convcheck.report.matrix import cell, clauses_in_order
from convcheck.report.sections import Cell, levels_section, sections
from full_record import ABSENT, AWKWARD, COUNTS, FINDINGS, NOT_LOOKED_INTO, RECORD, RIGHT, WRONG


@pytest.fixture(scope="module")
def read(record):
    """Header and rows of each section as texts, by its title."""
    found = (levels_section(record), *sections(record))
    return {s.title: [list(s.headers), *([str(value) for value in row] for row in s.rows)] for s in found}


def marks(title):
    (found,) = [s for s in (levels_section(RECORD), *sections(RECORD)) if s.title == title]
    return [value.mark for row in found.rows for value in row if isinstance(value, Cell) and value.mark]


def test_every_backend_that_ran_has_a_line_for_each_level(read):
    assert read["Levels"] == [
        list(HEADERS),
        *(
            [b.name, s.level.label, said, *map(str, (s.findings, s.failures, s.passed, s.known)), besides]
            for b, s, said, besides in rows(RECORD)
        ),
    ]
    assert [row[:2] for row in read["Levels"][1:]] == [[b, level.label] for b in (WRONG, RIGHT) for level in Level]


def test_backends_have_their_numbers(read):
    assert read["Backends"] == [
        ["backend", "state", "cases", "verdicts", "findings", "versions"],
        [WRONG, "ran", "40", "27", "8", "engine 1.2, threads 4"],
        [RIGHT, "ran", "21", "21", "0", ""],
        [ABSENT, f"no such device: {AWKWARD}", "0", "0", "0", ""],
    ]


def test_every_clause_has_a_cell_for_each_backend_that_ran(read):
    header, *found = read["Clauses"]
    assert header == ["level", "clause", "title", WRONG, RIGHT]
    assert [row[1] for row in found] == [clause.id for clause in clauses_in_order(RECORD)]
    for level, clause, _, *cells in found:
        assert level == level_of_clause(clause).label
        assert cells == [cell(RECORD, name, clause) for name in (WRONG, RIGHT)]


def test_every_status_has_a_row_with_its_reason(read):
    header, *found = read["Statuses"]
    assert header == ["backend", "status", "reason", "verdicts", "clauses"]
    assert sorted(row[:4] for row in found) == sorted(
        [
            [WRONG, "pass", "", "14"],
            [WRONG, "fail", "", "4"],
            [WRONG, "crashed", "", "1"],
            [WRONG, "hung", "", "2"],
            [WRONG, "wrongly accepted", "", "2"],
            [WRONG, "wrongly refused", "", "2"],
            [WRONG, "unwritten output", "", "2"],
            [WRONG, "unexpected pass", "issue 7", "1"],
            [WRONG, "known failure", "issue 8", "6"],
            [WRONG, "vacuous", "every element is 0", "4"],
            [WRONG, "not applicable", "12e5", "9"],
            [WRONG, "not applicable", "no gradients", "1"],
            [RIGHT, "pass", "", "21"],
            [ABSENT, "unavailable", f"no such device: {AWKWARD}", "0"],
        ]
    )
    assert {row[1] for row in found} == set(Status) - {Status.ELSEWHERE}


def test_tables_agree_with_the_record(read):
    assert sum(int(row[3]) for row in read["Statuses"][1:]) == sum(cases for *_, cases in COUNTS)
    assert sum(int(row[4]) for row in read["Backends"][1:]) == len(FINDINGS) - 1
    assert sum(int(row[2]) for row in read["Backends"][1:]) == 61


def test_what_is_guaranteed_of_the_untrusted_says_by_what_or_why_not(read, record):
    assert read["Untrusted"] == [
        ["backend", "guarantee", "holds", "the candidate", "by, or why not"],
        [WRONG, "files", "yes", "reads its folder only", "Landlock 7"],
        [WRONG, "network", "NO", "reaches no other machine", f"seccomp: {AWKWARD}"],
    ]
    trusting = replace(record, backends=tuple(replace(b, guarantees=()) for b in record.backends))
    assert "Untrusted" not in [section.title for section in sections(trusting)]


def test_margins_are_shown_with_promise_and_behaviour(read):
    assert read["Margins"] == [
        ["backend", "dtype and quantity", "profile", "largest error / bound", "behaves like"],
        [WRONG, "float32 output", "house-mix", "inf", "fp16-acc, coarser than house-mix"],
        [WRONG, "float64 output", "", "0.123", ""],
        [RIGHT, "float32 output", "", "1.2e+06", ""],
    ]


def test_coverage_counts_every_value_and_shows_twelve(read):
    twelve = ", ".join(["1×1: 50", *(f"1×{n}: {30 - n}" for n in range(2, 13))])
    assert read["Coverage"] == [
        ["parameter", "values", "cases by value, most frequent first"],
        ["stride", "14", twelve],
        ["dtype", "1", "float|32: 61"],
    ]


def test_the_run_can_be_repeated_from_the_summary(read):
    assert read["This run"][1:] == [
        ["command", "convcheck run --backend 'a | b' --seed 3"],
        ["seed", "3"],
        ["cases", "61"],
        ["started", "2026-02-03T04:05:06+00:00"],
        ["seconds", "12.3"],
        ["convcheck", "0.1.0"],
        ["python", "3.11.7"],
        ["numpy", AWKWARD],
    ]


def test_a_reason_that_stands_for_many_clauses_is_one_row():
    some = [Count(backend=RIGHT, clause=f"C2D-X-{n}", status=Status.VACUOUS, reason="zeros", cases=2) for n in range(9)]
    (statuses,) = [s for s in sections(replace(RECORD, counts=tuple(some))) if s.title == "Statuses"]
    assert statuses.rows == [
        (RIGHT, "vacuous", "zeros", 18, "C2D-X-0, C2D-X-1, C2D-X-2, C2D-X-3, C2D-X-4 and 4 more"),
    ]


def test_what_was_not_looked_at_has_a_row_for_each_clause():
    first = sections(NOT_LOOKED_INTO)[0]
    assert first.title == "Not looked at"
    assert [tuple(map(str, row)) for row in first.rows] == [
        (c.backend, c.clause, str(c.status), str(c.cases)) for c in NOT_LOOKED_INTO.not_looked_at
    ]


def test_right_and_wrong_are_marked():
    assert marks("Levels") == ["bad", "bad", "none", "bad", "bad", "pass", "none", "pass", "none", "none"]
    assert marks("Clauses")[:8] == ["bad", "pass", "bad", "none", "none", "none", "none", "pass"]
    assert marks("Margins") == ["bad", "pass", "bad"]


def test_each_level_says_what_it_means():
    hints = [row[1].hint for row in levels_section(RECORD).rows]
    assert hints[: len(Level)] == list(MEANINGS.values())


def test_long_words_break_and_short_ones_do_not():
    texts = ("pass", "C2D-GRAD-1", "two words", "v1,x=1x1x2x2,out=1,k=1", 7, 0)
    assert [Cell(text).wrapping for text in texts] == ["short", "short", "", "wraps", "short", "zero"]
