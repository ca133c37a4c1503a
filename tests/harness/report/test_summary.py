from dataclasses import replace

import pytest

from convcheck.model.levels import Level, level_of_clause
from convcheck.model.verdicts import Status
from convcheck.report.levels import levels_table, opening, sentence
from convcheck.report.matrix import cell, clauses_in_order
from convcheck.report.summary import summary, verdict
from full_record import ABSENT, COUNTS, FINDINGS, NOT_LOOKED_INTO, RECORD, RIGHT, SHOWN, TOKEN, WRONG
from read_tables import plain, rows, sections

STYLES = ("markdown", "text")


@pytest.fixture(params=STYLES)
def read(request, record):
    found = sections(summary(record, request.param))
    return {title: rows(body) if title != "Verdict" else body for title, body in found.items()}


@pytest.mark.parametrize("style", STYLES)
def test_the_run_is_named_first(record, style):
    assert summary(record, style).removeprefix("# ").startswith("convcheck: nightly\n")


def test_every_section_is_there(read):
    expected = [
        "Verdict",
        "Levels",
        "Backends",
        "Untrusted",
        "Findings",
        "Clauses",
        "Statuses",
        "Margins",
        "Coverage",
        "This run",
    ]
    assert list(read) == expected


def test_the_verdict_says_where_each_backend_stands_and_counts_open_findings(read, record):
    assert plain(read["Verdict"]) == f"{opening(record)}\n\nDOES NOT CONFORM: 8 findings."


def test_every_backend_that_ran_has_a_line_for_each_level(read):
    assert read["Levels"] == rows(levels_table(RECORD, "text"))
    assert [row[:2] for row in read["Levels"][1:]] == [[b, level.label] for b in (WRONG, RIGHT) for level in Level]


def test_backends_have_their_numbers(read):
    assert read["Backends"] == [
        ["backend", "state", "cases", "verdicts", "findings", "versions"],
        [WRONG, "ran", "40", "27", "8", "engine 1.2, threads 4"],
        [RIGHT, "ran", "21", "21", "0", ""],
        [ABSENT, f"no such device: {SHOWN}", "0", "0", "0", ""],
    ]


def test_every_finding_has_a_row(read):
    header, *found = read["Findings"]
    assert header == ["backend", "level", "clause", "status", "quantity", "failing cases", "smallest case"]
    assert found == [
        [WRONG, "computes", "C2D-SHAPE-1", "fail", "output", "3", TOKEN],
        [WRONG, "computes", "C2D-SHAPE-1", "fail, not looked into", "grad_weight", "1", TOKEN],
        [WRONG, "computes", "C2D-PURE-3", "crashed", "call", "1", ""],
        [WRONG, "state", "C2D-PURE-1", "hung, not looked into", "call", "2", TOKEN],
        [WRONG, "refuses", "C2D-ERROR-1", "wrongly accepted, not looked into", "call", "2", TOKEN],
        [WRONG, "computes", "C2D-ERROR-2", "wrongly refused, not looked into", "call", "2", TOKEN],
        [WRONG, "IEEE", "C2D-PURE-2", "unwritten output, not looked into", "output", "2", TOKEN],
        [WRONG, "precision", "C2D-SHAPE-3", "known failure", "output", "6", TOKEN],
        [WRONG, "state", "C2D-SHAPE-2", "unexpected pass", "output", "1", TOKEN],
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
    assert header == ["backend", "status", "reason", "verdicts"]
    assert sorted(found) == sorted(
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
            [ABSENT, "unavailable", f"no such device: {SHOWN}", "0"],
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
        [WRONG, "network", "NO", "reaches no other machine", f"seccomp: {SHOWN}"],
    ]
    trusting = replace(record, backends=tuple(replace(b, guarantees=()) for b in record.backends))
    assert "Untrusted" not in summary(trusting, "text")


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
        ["numpy", SHOWN],
    ]


@pytest.mark.parametrize("style", STYLES)
def test_sections_without_rows_are_left_out(record, style):
    absent = replace(record, backends=record.backends[2:], findings=())
    found = sections(summary(absent, style))
    assert {"Findings", "Clauses", "Margins"}.isdisjoint(found)
    assert "\n\nNOTHING WAS JUDGED" in found["Verdict"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"findings": FINDINGS[:1]}, "DOES NOT CONFORM: 1 finding."),
        ({"findings": FINDINGS[:2]}, "DOES NOT CONFORM: 2 findings."),
        ({"findings": FINDINGS[7:8]}, "CONFORMS: no findings."),
        ({"findings": FINDINGS[8:]}, "DOES NOT CONFORM: 1 finding."),
        (
            {"findings": (), "counts": ()},
            "NOTHING WAS JUDGED: no backend ran on a case that could tell right from wrong.",
        ),
        ({"interrupted": True}, "UNFINISHED: this is what was judged until then; `convcheck resume` goes on."),
        ({"level": Level.COMPUTES}, "DOES NOT CONFORM up to level computes: 4 findings."),
        ({"level": Level.REFUSES}, "DOES NOT CONFORM up to level refuses: 6 findings."),
        ({"level": Level.IEEE, "findings": FINDINGS[3:5]}, "CONFORMS up to level IEEE: 2 findings of later levels."),
        (
            {"level": Level.IEEE, "findings": (), "counts": RECORD.counts[12:13]},
            "NOTHING WAS JUDGED up to level IEEE: no backend ran on a case that could tell right from wrong.",
        ),
    ],
)
def test_one_sentence_says_what_the_run_came_to(record, changes, words):
    assert verdict(replace(record, **changes)) == words


def test_what_was_not_looked_at_is_listed_by_clause_and_lets_nothing_conform():
    record = NOT_LOOKED_INTO
    text = summary(record, "text")
    listed = text[text.index("Not looked at") : text.index("Clauses\n")]
    assert "C2D-STRIDE-2" in listed
    assert "C2D-STRIDE-1" not in listed
    alone = replace(record, findings=())
    assert not alone.conforms
    assert verdict(alone) == "DOES NOT CONFORM: 1 case whose failures were not looked at."
    assert alone.standing(WRONG, Level.COMPUTES).fails
    assert "(1 case not looked at)" in sentence(alone, alone.backends[0])
