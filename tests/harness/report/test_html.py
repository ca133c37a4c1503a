import base64
import hashlib
import re
from collections import defaultdict
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from convcheck.report.discrepancies import details
from convcheck.report.html import html
from convcheck.report.levels import opening
from convcheck.report.replaying import replay_command
from convcheck.report.sections import levels_section, sections
from convcheck.report.sentence import sentence_of
from convcheck.report.shown_finding import ILLUSTRATED
from full_record import AWKWARD, COMPLETE, FINDINGS, RECORD, SHOWN, WRONG

VOID = ("meta", "rect", "path", "input")


class Page(HTMLParser):
    """Tags with their attributes, and below each h2 the rows of its tables and lists and all of its text."""

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
        if tag not in VOID:
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
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.title += data
        elif {"td", "th"} & set(self.open):
            self.rows[self.title][-1][-1] += data
        elif not {"style", "script"} & set(self.open):
            self.text[self.title] += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(record):
    return Page(html(record))


def shown(text):
    return " ".join(text.replace(AWKWARD, SHOWN).split())


def test_the_page_fetches_nothing(page, record):
    fetching = {"link", "img", "iframe", "object", "embed", "base", "audio", "video", "source", "image", "use"}
    assert fetching.isdisjoint(tag for tag, _ in page.tags)
    attributes = {name for _, attributes in page.tags for name in attributes}
    assert {"src", "xlink:href", "srcset", "style", "action"}.isdisjoint(attributes)
    assert not any(name.startswith("on") for name in attributes)
    assert all(link["href"].startswith("#") for link in page.all("a"))
    assert not re.search(r"url\(|@import|https?://", html(record))


def test_it_runs_its_own_script_and_no_other(page, record):
    (script,) = re.findall(r"<script>(.*?)</script>", html(record), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert script == re.findall(r"<script>(.*?)</script>", html(replace(record, findings=())), re.DOTALL)[0]


def test_texts_are_escaped(record):
    assert html(record).count("<script") == 1
    assert not re.search("[\0\x1b\ufffe]", html(record))


def test_the_run_and_its_verdict_come_first(page, record):
    text = page.text[""]
    assert "convcheck: nightly" in text
    assert -1 < text.find("DOES NOT CONFORM: 8 findings.") < text.find(opening(record).split("\n")[0])
    assert "convcheck run --backend 'a | b' --seed 3" in text


def test_what_is_unfinished_says_so_once(record):
    text = Page(html(replace(record, interrupted=True))).text[""]
    assert text.count("UNFINISHED") == 1
    assert opening(record).split("\n")[0] in text


@pytest.mark.parametrize(("findings", "colour"), [(FINDINGS, "bad"), ((), "pass")])
def test_the_verdict_has_its_colour(record, findings, colour):
    page = Page(html(replace(record, findings=findings)))
    assert page.all("p")[0] == {"class": f"verdict {colour}"}


def test_every_section_has_a_place_in_the_contents(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [link["href"][1:] for link in page.all("a")]
    assert set(links) <= ids
    titles = ["Levels", f"Findings ({len(FINDINGS)})", *(s.title for s in sections(RECORD))]
    assert "".join(page.text[""].split()).endswith("".join("".join(titles).split()))


def test_every_section_shows_all_of_its_rows(page):
    for section in (levels_section(RECORD), *sections(RECORD)):
        cells = [shown(cell) for row in page.rows[section.title] for cell in row]
        assert {shown(str(value)) for row in section.rows for value in row} <= {*cells, ""}


def test_many_rows_of_a_backend_stand_below_its_name(page):
    levels = page.rows["Levels"]
    assert [row for row in levels if len(row) == 1] == [[WRONG], ["numpy"]]
    assert levels[0][0] == "level"


def test_every_finding_is_its_sentence_with_command_and_details(page):
    text = shown(page.text["Findings"])
    for number, finding in enumerate(FINDINGS, 1):
        said = sentence_of(finding)
        assert shown(f"{number}. {said.name} {said.said}.") in text
        assert shown(replay_command(finding)) in text
        assert all(shown(value) in text for _, value in details(finding))
    assert len(page.all("details")) == len(FINDINGS) + sum(section.folded for section in sections(RECORD))
    assert not any("open" in attributes for attributes in page.all("details"))


def test_a_finding_says_by_what_it_is_found(page):
    first = page.all("article")[0]
    assert {name: first[name] for name in first if name.startswith("data-")} == {
        "data-backend": WRONG,
        "data-level": "computes",
        "data-clause": "C2D-SHAPE-1",
        "data-parameter": "bias\ngroups",
    }
    assert [choice["name"] for choice in page.all("select")] == ["backend", "level", "clause", "parameter"]


def test_what_can_be_copied_has_a_button_beside_it(page, record):
    commands = re.findall(r'<div class="command"><code>.*?</code><button type="button" class="copy">', html(record))
    assert len(commands) == len(page.all("button"))
    tokens = 1 + sum(bool(f.reproduction.token) for f in FINDINGS)  # a first failing case
    assert len(commands) == 1 + sum(bool(replay_command(f)) for f in FINDINGS) + tokens


def test_the_failing_case_and_its_heat_maps_are_pictures(page):
    labels = [picture["aria-label"] for picture in page.all("svg") if "aria-label" in picture]
    assert labels[:4] == [
        "image of 2 × 2, padded to 2 × 2; the window of output (1, 1) begins in padded row 1 and column 1 and reads 1 × 1",
        "output of 2 × 2; the filled cell is what the marked window gives",
        "share of wrong elements; down: rows 0–1; across: columns 0–2",
        'share of wrong elements; down: image "0"; across: channels 0–1',
    ]


def test_of_many_findings_the_first_are_drawn_and_the_others_say_how(record):
    text = html(replace(record, findings=(COMPLETE,) * (ILLUSTRATED + 2)))
    *_, last = re.findall(r"<article .*?</article>", text, re.DOTALL)
    assert len(last) < 8000
    many = Page(text)
    assert many.text["Findings"].count("draws this one") == 2
    assert sum(picture.get("class") == "map" for picture in many.all("svg")) == 2 * ILLUSTRATED


def test_the_page_ends_with_where_it_ran(page):
    assert "convcheck 0.1.0, 2026-02-03T04:05:06+00:00, 12.3 s." in page.text["This run"]


def test_a_run_without_findings_says_so(record):
    assert Page(html(replace(record, findings=()))).text["Findings"].strip() == "None."
