"""The first sentence of every report, and the line of each level."""

from dataclasses import replace

import pytest

from convcheck.model.levels import Level, LevelCount
from convcheck.model.origins import Origin, OriginCount
from convcheck.model.record import BackendRecord, Finding
from convcheck.model.verdicts import Status
from convcheck.report.levels import HEADERS, levels_table, opening, rows, sentence
from full_record import ABSENT, RECORD, RIGHT, SHOWN, WRONG
from stand_ins import verdict

MINE = BackendRecord(name="mine", spec="mine", cases=9)


def counts(*found):
    return tuple(
        LevelCount(backend="mine", level=level, error_clause=clause, passed=passed, failed=failed)
        for level, clause, passed, failed in found
    )


def finding(level, status=Status.FAIL, cases=2):
    return Finding(
        backend="mine", clause="C2D-BIAS-1", level=level, verdict=verdict(status=status), failing_cases=cases
    )


def said(levels, *findings, **others):
    record = replace(RECORD, backends=(MINE,), levels=counts(*levels), findings=findings, **others)
    return opening(record)


COMPUTES = (Level.COMPUTES, "", 90, 0)
REFUSES = tuple((Level.REFUSES, f"C2D-ERROR-{number}", 3, 0) for number in (1, 2, 3))
LETS_THROUGH = ((Level.REFUSES, "C2D-ERROR-4", 1, 2), (Level.REFUSES, "C2D-ERROR-10", 0, 2))
ALL = (COMPUTES, (Level.IEEE, "", 5, 0), (Level.PRECISION, "", 1, 0), *REFUSES, (Level.STATE, "", 7, 0))


def test_an_engine_that_computes_right_and_refuses_too_little_is_told_so():
    assert said((*ALL, *LETS_THROUGH), *[finding(Level.REFUSES)] * 2) == (
        "mine computes every legal layer right (90 cases); refuses 2 of 5 kinds of illegal arguments too little; "
        "shows no failure of IEEE (5 cases), precision (1 case), state (7 cases)."
    )


def test_a_right_one_is_told_what_was_looked_at():
    assert said(ALL) == (
        "mine computes every legal layer right (90 cases); "
        "shows no failure of IEEE (5 cases), precision (1 case), refuses (9 cases), state (7 cases)."
    )


def test_a_run_on_one_clause_says_so():
    assert said(ALL, clause="C2D-PAD-1").startswith("mine, as to C2D-PAD-1 alone, computes every legal layer right")


def test_what_was_not_looked_at_is_not_said_to_pass():
    assert said([COMPUTES]) == (
        "mine computes every legal layer right (90 cases); was not looked at for IEEE, precision, refuses, state."
    )
    assert said(REFUSES) == (
        "mine shows no failure of refuses (9 cases); was not looked at for computes, IEEE, precision, state."
    )
    assert said([]) == "mine was judged on nothing: no case could tell right from wrong."


def test_failures_come_in_the_order_of_their_levels():
    wrong = [finding(level) for level in reversed(Level)]
    assert said(((Level.COMPUTES, "", 90, 4), *ALL[1:], *LETS_THROUGH), *wrong, wrong[-1]) == (
        "mine computes legal layers wrong in 4 of 94 cases (2 findings); "
        "treats NaN, Inf or subnormals otherwise than IEEE 754 (1 finding); "
        "is less precise than promised (1 finding); "
        "refuses 2 of 5 kinds of illegal arguments too little; "
        "depends on earlier calls, differs from time to time, or leaves something behind (1 finding)."
    )


def test_wrong_results_for_a_reason_of_another_level_are_not_called_right():
    assert said([(Level.COMPUTES, "", 90, 3), (Level.PRECISION, "", 0, 8)], finding(Level.PRECISION, cases=11)) == (
        "mine computes legal layers right in 90 cases, and wrong in 3 for a reason of another level; "
        "is less precise than promised in 8 of 8 cases (1 finding); was not looked at for IEEE, refuses, state."
    )


def test_kinds_that_are_let_through_are_named_though_their_finding_is_elsewhere():
    assert "refuses 2 of 2 kinds of illegal arguments too little" in said([COMPUTES, *LETS_THROUGH])


def test_known_failures_are_told_apart():
    findings = finding(Level.IEEE, Status.KNOWN_FAILURE), finding(Level.STATE, Status.UNEXPECTED_PASS)
    assert said([COMPUTES], *findings).endswith("; has 1 known failure; has 1 known failure no more.")


def test_a_run_that_was_cut_short_says_so_first():
    assert said([COMPUTES], interrupted=True).startswith(
        "UNFINISHED: this is what was judged until then; `convcheck resume` goes on.\nmine computes"
    )


def test_each_backend_has_its_sentence():
    wrong, right, absent = opening(RECORD).split("\n")
    assert wrong.startswith(f"{WRONG} computes legal layers wrong in 7 of 21 cases (4 findings); ")
    assert "; refuses 1 of 2 kinds of illegal arguments too little; " in wrong
    assert right.startswith(f"{RIGHT} computes every legal layer right (20 cases); ")
    assert absent == f"{ABSENT} was not judged: no such device: {SHOWN}."


def test_a_name_breaks_no_sentence():
    odd = replace(MINE, name="a\nb\x1b")
    assert sentence(replace(RECORD, levels=()), odd).startswith("a b� was judged on nothing")


def test_every_level_has_its_row():
    found = [
        (b.name, s.level.label, said, s.findings, s.failures, s.passed, s.known, besides)
        for b, s, said, besides in rows(RECORD)
    ]
    assert len(found[0]) == len(HEADERS)
    assert [row[1:] for row in found if row[0] == WRONG] == [
        ("computes", "fail", 4, 7, 14, 0, ""),
        ("IEEE", "fail", 1, 2, 3, 0, ""),
        ("precision", "known failure", 0, 0, 0, 1, ""),
        ("refuses", "fail", 1, 2, 4, 0, "1 of 2 kinds too little: C2D-ERROR-1 stride"),
        ("state", "fail", 1, 2, 0, 0, ""),
    ]
    assert [row[2] for row in found if row[0] == RIGHT] == ["pass", "not looked at", "pass", *["not looked at"] * 2]
    assert not any(row[0] == ABSENT for row in found)


def test_the_table_is_one_for_each_backend_where_names_are_long():
    first, second = levels_table(RECORD, "text").split("\n\n")[::2]
    assert (first, second) == (WRONG, RIGHT)


def test_a_known_failure_that_passes_is_a_word_of_its_own():
    record = replace(
        RECORD, backends=(MINE,), levels=counts(*ALL), findings=(finding(Level.STATE, Status.UNEXPECTED_PASS),)
    )
    assert [word for _, _, word, _ in rows(record)] == ["pass"] * 4 + ["unexpected pass"]


def test_without_a_backend_that_ran_there_is_no_table():
    assert levels_table(replace(RECORD, backends=RECORD.backends[2:]), "text") == ""


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ((), "was not looked at under AddressSanitizer."),
        ((12, 0), "ran 12 cases under AddressSanitizer without a report."),
        ((12, 3), "is reported on by AddressSanitizer in 3 of 12 cases."),
    ],
)
def test_what_a_sanitizer_saw_is_said(seen, words):
    origins = (OriginCount(origin=Origin.SANITIZED, cases=seen[0], failing_cases=seen[1]),) if seen else ()
    mine = replace(MINE, sanitizer="AddressSanitizer", origins=origins)
    assert sentence(replace(RECORD, backends=(mine,), levels=counts(*ALL), findings=()), mine).endswith(words)
