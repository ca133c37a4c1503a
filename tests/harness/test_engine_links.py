"""`benchmarks/engine_links.py`: links stand under the findings that they are about, and under no others."""

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from convcheck.report.compatibility.matrix_file import read_matrix
from full_record import COMPLETE
from stand_ins import verdict

PROJECT = Path(__file__).parents[2]
REPORTS = PROJECT / "reports" / "engines"


@pytest.fixture(scope="module")
def script():
    spec = spec_from_file_location("engine_links", PROJECT / "benchmarks" / "engine_links.py")
    found = sys.modules[spec.name] = module_from_spec(spec)  # where dataclasses look their annotations up
    spec.loader.exec_module(found)
    yield found
    del sys.modules[spec.name]


def finding(backend="mlx@0.28.0", clause="C2D-GRAD-4", reason="grad_weight has shape (1, 2)"):
    return replace(COMPLETE, backend=backend, clause=clause, verdict=verdict(reason=reason))


@pytest.fixture
def link(script):
    return script.Link(
        backend="mlx", clauses=("C2D-GRAD-4",), says="It says so", url="https://a.example/1", reason="shape"
    )


def test_a_link_is_written_once_however_often_and_goes_when_it_is_no_more(script, link):
    text = script.linked("# Title\n\nWhat is wrong.\n", finding(), [link])
    assert text.endswith("\n\n## Known to the engine\n\n- It says so: https://a.example/1\n")
    assert script.title(text) == "Title (known to the engine)"
    assert script.linked(text, finding(), [link]) == text
    assert script.linked(text, finding(), []) == "# Title\n\nWhat is wrong.\n"


@pytest.mark.parametrize(
    "other",
    [finding(backend="mlx-like"), finding(clause="C2D-GRAD-3"), finding(reason="differs from the exact result")],
    ids=["backend", "clause", "reason"],
)
def test_a_link_is_about_no_other_finding(script, link, other):
    assert not link.fits(other)
    assert script.linked("# Title\n", other, [link]) == "# Title\n"


def test_the_reports_have_the_links_that_are_written_down_and_each_leads_to_one(script):
    known, entries = script.links(), read_matrix(REPORTS / "matrix.json").findings
    assert [link.url for link in known if not any(link.fits(entry.finding) for entry in entries)] == []
    page = (REPORTS / "README.md").read_text(encoding="utf-8")
    for entry in entries:
        text = (REPORTS / "issues" / f"{entry.number}.md").read_text(encoding="utf-8")
        assert script.linked(text, entry.finding, known) == text, "run benchmarks/engine_links.py"
        assert f"- [{entry.number}](issues/{entry.number}.md): {script.title(text)}\n" in page
