import re
from collections import defaultdict
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from convcheck.model.levels import MEANINGS, Level, level_of_clause
from convcheck.report.discrepancies import details
from convcheck.report.html import html
from convcheck.report.levels import opening
from convcheck.report.levels import rows as levels_rows
from convcheck.report.matrix import clauses_in_order
from convcheck.report.replaying import replay_command
from convcheck_reference.clauses import CLAUSES
from full_record import ABSENT, AWKWARD, FINDINGS, NOT_LOOKED_INTO, RECORD, RIGHT, SHOWN, WRONG


class Page(HTMLParser):
    """Tags with their attributes, and below each h2 the rows of its tables and all of its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], defaultdict(str)
        self.rows = defaultdict(list)
        self.title = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "rect"):
            self.open.append(tag)
        if tag == "h2":
            self.title = ""
        if tag == "tr":
            self.rows[self.title].append([])
        if tag in ("td", "th"):
            self.rows[self.title][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.title += data
        elif {"td", "th"} & set(self.open):
            self.rows[self.title][-1][-1] += data
        elif "style" not in self.open:
            self.text[self.title] += data


@pytest.fixture(scope="module")
def page(record):
    return Page(html(record))


def shown(text):
    return " ".join(text.replace(AWKWARD, SHOWN).split())


def test_the_page_fetches_nothing(page, record):
    fetching = {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "audio",
        "video",
        "source",
        "image",
        "use",
    }
    assert fetching.isdisjoint(tag for tag, _ in page.tags)
    attributes = {name for _, attributes in page.tags for name in attributes}
    assert {"src", "href", "xlink:href", "srcset", "style", "action"}.isdisjoint(attributes)
    assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\(|@import|https?://", html(record))


def test_texts_are_escaped(record):
    assert "<script" not in html(record)
    assert not re.search("[\0\x1b\ufffe]", html(record))


def test_the_run_and_its_verdict_come_first(page, record):
    assert "convcheck: nightly" in page.text[""]
    text = page.text[""]
    assert -1 < text.find(opening(record).split("\n")[0]) < text.find("DOES NOT CONFORM: 8 findings.")
    assert "convcheck run --backend 'a | b' --seed 3" in page.text[""]


@pytest.mark.parametrize(("findings", "colour"), [(FINDINGS, "bad"), ((), "pass")])
def test_the_verdict_has_its_colour(record, findings, colour):
    page = Page(html(replace(record, findings=findings)))
    assert next(attributes for tag, attributes in page.tags if tag == "p" and attributes) == {"class": colour}


def test_every_backend_that_ran_has_a_line_for_each_level(page, record):
    assert page.rows["Levels"][1:] == [
        [b.name, s.level.label, said, str(s.findings), str(s.failures), str(s.passed), str(s.known), besides]
        for b, s, said, besides in levels_rows(record)
    ]
    meanings = [attributes["title"] for tag, attributes in page.tags if tag == "td" and "title" in attributes]
    assert meanings[: len(Level)] == list(MEANINGS.values())


def test_every_backend_has_a_row(page):
    assert [list(map(shown, row)) for row in page.rows["Backends"]] == [
        ["backend", "cases", "verdicts", "state", "versions"],
        [WRONG, "40", "27", "ran", "engine 1.2, threads 4"],
        [RIGHT, "21", "21", "ran", ""],
        [ABSENT, "0", "0", f"no such device: {SHOWN}", ""],
    ]


def test_every_finding_is_there_with_its_details_and_command(page):
    expected = [[name, shown(text)] for finding in FINDINGS for name, text in details(finding)]
    assert [[name, shown(text)] for name, text in page.rows["Findings"]] == expected
    text = page.text["Findings"]
    for finding in FINDINGS:
        assert (
            f"{finding.level.label}: {WRONG}: {finding.clause}, {finding.verdict.quantity}, {finding.status}\n" in text
        )
        assert replay_command(finding) in text
    commands = [tag for tag, _ in page.tags if tag == "pre"]
    assert len(commands) == len(FINDINGS) - 1


def test_the_heat_maps_of_a_finding_are_pictures(page):
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert [picture["aria-label"] for picture in pictures] == [
        "share of wrong elements; down: rows 0–1; across: columns 0–2",
        'share of wrong elements; down: image "0"; across: channels 0–1',
    ]
    assert sum(tag == "rect" for tag, _ in page.tags) == 8
    assert "99% wrong" in page.text["Findings"]


def test_every_clause_has_a_cell_for_each_backend_that_ran(page):
    header, *found = [list(map(shown, row)) for row in page.rows["Clauses"]]
    assert header == ["level", "clause", "title", WRONG, RIGHT]
    assert [row[:3] for row in found] == [
        [level_of_clause(c.id).label, c.id, c.title] for c in clauses_in_order(RECORD)
    ]
    cells = {row[1]: row[3:] for row in found}
    assert cells["C2D-SHAPE-1"] == ["fail: 4 of 11", "pass: 20"]
    assert cells["C2D-SHAPE-2"] == ["unexpected pass: 5", "not judged"]
    assert cells["C2D-SHAPE-4"] == ["vacuous", "pass: 1"]
    assert cells["C2D-ERROR-2"] == ["wrongly refused: 2 of 2, computes", "not judged"]


def test_the_cells_of_clauses_have_their_colours(page):
    colours = [attributes["class"] for tag, attributes in page.tags if tag == "td" and "class" in attributes]
    levels, clauses = colours[: 2 * len(Level)], colours[2 * len(Level) :]
    assert levels == ["bad", "bad", "none", "bad", "bad", "pass", "none", "pass", "none", "none"]
    assert clauses[:8] == ["bad", "pass", "bad", "none", "none", "none", "none", "pass"]
    assert len(clauses) == 2 * sum(not clause.of_extension for clause in CLAUSES)


def test_every_margin_has_a_row(page):
    assert page.rows["Margins"] == [
        ["backend", "dtype and quantity", "profile", "largest error / bound", "behaves like"],
        [WRONG, "float32 output", "house-mix", "inf", "fp16-acc, coarser than house-mix"],
        [WRONG, "float64 output", "", "0.123", ""],
        [RIGHT, "float32 output", "", "1.2e+06", ""],
    ]


def test_what_was_not_judged_has_its_reason(page):
    assert [list(map(shown, row)) for row in page.rows["Not judged"]] == [
        ["backend", "clause", "status", "reason", "cases"],
        [WRONG, "C2D-SHAPE-4", "vacuous", "every element is 0", "4"],
        [WRONG, "C2D-SHAPE-5", "not applicable", "12e5", "9"],
        [WRONG, "C2D-SHAPE-5", "not applicable", "no gradients", "1"],
        [ABSENT, "", "unavailable", f"no such device: {SHOWN}", "0"],
    ]


def test_what_was_not_looked_at_is_listed_by_clause(page):
    assert "Not looked at" not in page.rows
    rows = Page(html(NOT_LOOKED_INTO)).rows["Not looked at"]
    assert rows[0] == ["backend", "clause", "status", "failing cases"]
    assert rows[1:] == [[c.backend, c.clause, str(c.status), str(c.cases)] for c in NOT_LOOKED_INTO.not_looked_at]
    assert len(rows) > 1


def test_every_row_of_the_coverage_is_there(page, record):
    expected = [[row.parameter, row.value, str(row.cases)] for row in record.coverage]
    assert page.rows["Coverage"] == [["parameter", "value", "cases"], *expected]


def test_the_page_ends_with_where_it_ran(page):
    assert "convcheck 0.1.0, 2026-02-03T04:05:06+00:00, 12.3 s." in page.text["Coverage"]
    assert f"python 3.11.7, numpy {SHOWN}" in shown(page.text["Coverage"])


def test_a_run_without_findings_says_so(record):
    assert Page(html(replace(record, findings=()))).text["Findings"].strip() == "None."
