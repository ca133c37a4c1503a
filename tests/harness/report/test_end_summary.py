import pytest
from typer.testing import CliRunner

from convcheck.cli import app
from convcheck.report import write_report
from convcheck.report.levels import levels_table, opening
from full_record import FIGURES, FINDINGS, RECORD, SHOWN, TOKEN, WRONG
from read_tables import rows


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(RECORD, folder)
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"\nreport: {folder / 'index.html'}\n")
    return done.output


def test_every_backend_has_its_numbers(said):
    sentences, rest = said.split("\n\n", 1)
    assert sentences == opening(RECORD)
    assert rest.startswith(levels_table(RECORD, "text"))
    numbers = rest.removeprefix(levels_table(RECORD, "text")).strip()
    assert rows(numbers.split("\n\n")[1]) == [["cases", "verdicts", "findings", "known"], ["40", "27", "8", "1"]]
    assert "no such device: a|b" in numbers


def test_every_finding_is_said_with_its_diagnosis_and_case(said):
    first = f"{WRONG}: C2D-SHAPE-1 output fail, 3 cases: {SHOWN}".replace(" second", "\n    second")
    condition = f"fails iff groups > 1 and bias{FIGURES}; every failure is explained by: subnormals flushed; behaves like no bias where there are groups"
    assert f"{first}\n  {condition}\n  {TOKEN}\n" in said
    assert f"{WRONG}: C2D-SHAPE-1 grad_weight fail, 1 case: the last column is 0\n" in said
    assert f"{WRONG}: C2D-PURE-3 call crashed, 1 case: no fresh process would start\nstate: {WRONG}" in said
    assert all(f"{f.level.label}: {WRONG}: {f.clause} {f.verdict.quantity} {f.status}, " in said for f in FINDINGS)


def test_the_verdict_comes_last(said):
    assert said.split("\n")[-3] == "DOES NOT CONFORM: 8 findings."


def test_a_terminal_obeys_nothing_that_a_candidate_said(said):
    assert not set("\0\x1b\ufffe") & set(said)
