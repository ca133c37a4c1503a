"""The matrix as a page, Markdown, CSV and JSON: all cells are in each, and lead to their findings."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from convcheck.cli.output import as_json_text
from convcheck.model.matrix import State
from convcheck.report.compatibility.csv import matrix_csv
from convcheck.report.compatibility.html import matrix_html
from convcheck.report.compatibility.markdown import matrix_markdown
from convcheck.report.compatibility.matrix_file import KIND, MatrixError, read_matrix
from convcheck.report.compatibility.words import cell_words
from full_matrix import MATRIX, cell
from full_record import AWKWARD, RIGHT


class Page(HTMLParser):
    """Tags with their attributes, and the rows of all tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page():
    return Page(matrix_html(MATRIX))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "matrix.json"
    path.write_text(as_json_text(KIND, MATRIX))
    return path


def test_the_page_has_a_row_for_each_clause_with_what_every_cell_says(page):
    rows = {row[0].partition("C2D-")[2].split()[0].rstrip(): row for row in page.rows if row and "C2D-" in row[0]}
    assert len(rows) == len(MATRIX.clauses)
    for row in (row for row in page.rows if row and row[0].startswith("C2D-SHAPE-1output")):
        assert [cell_words(cell(MATRIX, "C2D-SHAPE-1", engine)) in row[1 + engine] for engine in (0, 1)] == [True, True]
        assert "forward float32: fail, 3 of 7" in row[1]


def test_every_cell_that_fails_leads_to_a_finding_of_the_page(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [link["href"][1:] for link in page.all("a")]
    assert set(links) <= ids
    assert {f"finding-{n}" for engine in MATRIX.engines for c in engine.cells for n in c.findings} <= set(links)


def test_the_page_is_self_contained_and_runs_its_own_script_alone(page):
    text = matrix_html(MATRIX)
    assert text.count("<script") == 1
    assert not re.search("[\0\x1b\ufffe]", text)
    assert not re.search(r"url\(|@import|https?://", text)
    assert {"src", "style", "srcset"}.isdisjoint(name for _, attributes in page.tags for name in attributes)


def test_tables_can_be_read_by_whoever_does_not_see_them(page):
    assert all("scope" in header for header in page.all("th"))
    assert all(table["aria-label"] for table in page.all("table"))
    scrolled = [each for each in page.all("div") if each.get("class") == "scroll"]
    assert scrolled
    assert all(each["role"] == "region" and each["tabindex"] == "0" and each["aria-label"] for each in scrolled)
    named = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(named) == len(set(named))


def test_who_is_unavailable_is_there_with_the_reason(page):
    (row,) = [row for row in page.rows if row and row[0].startswith("absent-device")]
    assert "unavailable: no such device" in row[1]
    assert "unavailable: no such device" in matrix_markdown(MATRIX)
    assert "unavailable" in matrix_csv(MATRIX)


def test_the_markdown_has_every_cell_and_links_to_its_findings():
    text = matrix_markdown(MATRIX)
    assert all(f"| {name} " in text for name in MATRIX.clauses)
    assert "fail: 4 of 11 [1](#finding-1) [2](#finding-2)" in text
    assert {f"### Finding {entry.number}" for entry in MATRIX.findings} <= set(text.splitlines())
    assert "<script>" not in text


def test_the_csv_has_a_row_for_each_cell_and_for_each_dtype_and_pass():
    rows = list(csv.DictReader(io.StringIO(matrix_csv(MATRIX))))
    whole = [row for row in rows if row["clause"] and not row["dtype"]]
    assert len(whole) == 2 * len(MATRIX.clauses)
    (known,) = [row for row in rows if row["clause"] == "C2D-SHAPE-3" and row["dtype"]]
    assert (known["dtype"], known["pass"], known["state"], known["wrong"]) == (
        "float32",
        "forward",
        "known failure",
        "6",
    )
    assert {row["state"] for row in whole if row["engine"] == RIGHT} == {"pass", "not judged"}
    (first,) = [row for row in whole if row["findings"] == "1 2"]
    assert first["clause"] == "C2D-SHAPE-1"


def test_what_is_written_as_json_is_read_back(file):
    assert read_matrix(file) == MATRIX


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"kind": "matrix"', '"kind": "run"', "holds something else"),
        ('"schema": 1', '"schema": 99', "schema 99; this convcheck reads schema 1"),
        ('"state": "fail"', '"state": "perhaps"', "levels.0.state: Input should be 'pass'"),
        ('"clause": "C2D-SHAPE-1"', '"clause": "C2D-SHAPE-99"', "C2D-SHAPE-99"),
        ('"level": "state"', '"levels": "state"', "expected the matrix.json"),
        ("{", "", "cannot be read"),
    ],
)
def test_a_file_that_is_no_matrix_is_refused_with_what_was_expected(file, old, new, said):
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(MatrixError, match=re.escape(said)) as error:
        read_matrix(file)
    assert "expected the matrix.json that `convcheck matrix` writes" in str(error.value) or "reads schema" in said


def test_without_an_engine_that_ran_there_is_a_page_still():
    absent = replace(MATRIX, engines=MATRIX.engines[2:], findings=())
    assert "0 engines judged, 1 unavailable" in matrix_html(absent)
    assert "None." in matrix_markdown(absent)


def test_every_state_is_explained(page):
    assert {"unexpected pass", "known failure"} <= {str(state) for state in State}
    text = matrix_html(MATRIX)
    assert all(f">{state}</dt>" in text for state in State)
    assert AWKWARD not in text
