import re
from dataclasses import replace

import pytest

from convcheck.model.levels import Level
from convcheck.report.html import html
from convcheck.report.levels import opening, sentence
from convcheck.report.sentence import finding_sentence
from convcheck.report.summary import summary, verdict
from full_record import FINDINGS, NOT_LOOKED_INTO, RECORD, WRONG
from read_tables import plain, sections

STYLES = ("markdown", "text")


@pytest.mark.parametrize("style", STYLES)
def test_the_run_is_named_first(record, style):
    assert summary(record, style).removeprefix("# ").startswith("convcheck: nightly\n")


@pytest.mark.parametrize("style", STYLES)
def test_every_section_is_there_in_the_order_of_the_page(record, style):
    assert list(sections(summary(record, style))) == [
        *("Verdict", "Levels", "Findings", "Backends", "Untrusted", "Clauses", "Margins", "Statuses", "Coverage"),
        "This run",
    ]
    titles = re.findall("<h2>(.*)</h2>", html(record))
    assert titles == [title for title in sections(summary(record, style)) if title != "Verdict"]


@pytest.mark.parametrize("style", STYLES)
def test_lines_are_no_longer_than_a_hundred_characters_but_for_words_that_are(record, style):
    long = [line for line in summary(record, style).split("\n") if len(line) > 100]
    assert not [line for line in long if len(line.strip().split()) > 1]


@pytest.mark.parametrize("style", STYLES)
def test_the_verdict_says_where_each_backend_stands_and_counts_open_findings(record, style):
    said = " ".join(plain(sections(summary(record, style))["Verdict"]).split())
    assert said == " ".join(f"DOES NOT CONFORM: 8 findings. {opening(record)}".split())


@pytest.mark.parametrize("style", STYLES)
def test_every_finding_is_its_sentence_under_its_number(record, style):
    said = " ".join(plain(sections(summary(record, style))["Findings"]).split())
    places = [said.index(f"{n}. {f.level.label}, {WRONG}, {f.clause}") for n, f in enumerate(FINDINGS, 1)]
    assert places == sorted(places)
    assert all(" ".join(finding_sentence(f).split()) in said for f in FINDINGS)
    assert "C2D-PURE-1, not looked into: a call does not return in 2 cases" in said


@pytest.mark.parametrize("style", STYLES)
def test_sections_without_rows_are_left_out(record, style):
    absent = replace(record, backends=record.backends[2:], findings=())
    found = sections(summary(absent, style))
    assert {"Findings", "Clauses", "Margins"}.isdisjoint(found)
    assert found["Verdict"].startswith("NOTHING WAS JUDGED")


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
        ({"clause": "C2D-PAD-1", "findings": ()}, "CONFORMS as to C2D-PAD-1 alone: no findings."),
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
