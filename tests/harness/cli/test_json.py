"""With --json every command prints one object on standard output, and nothing else there."""

import json
import sys

import pytest

from convcheck import cli
from convcheck.cli.output import plain
from convcheck.model.levels import Level
from convcheck.model.verdicts import Evidence
from convcheck.report import write_report
from full_record import RECORD

CASE = "v1,x=1x1x4x4,out=1,k=1"
WRONG = """
from convcheck_backends import NumpyBackend

class Wrong(NumpyBackend):
    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, weight, bias, params) + x.dtype.type(1)
"""


@pytest.fixture
def convcheck(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.py").write_text(WRONG)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convcheck", *map(str, arguments), "--json"])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, json.loads(capsys.readouterr().out)

    return run


def test_a_run(convcheck):
    options = (
        "--examples",
        6,
        "--reach",
        "quick",
        "--database",
        "none",
        "--in-process",
        "--name",
        "n",
        "--diagnosis-calls",
        60,
    )
    code, found = convcheck("run", "-b", "wrong.py:Wrong", *options)
    assert code == 1
    assert (found["kind"], found["schema"], found["conforms"]) == ("run", 1, False)
    assert found["backends"][0]["levels"]["computes"]["verdict"] == "fail"
    assert found["findings"][0]["quantity"] == "output"
    assert found["report"] == "reports/n"


def test_cases_that_are_replayed(convcheck):
    code, found = convcheck("replay", CASE, "-b", "numpy", "-b", "wrong.py:Wrong", "--in-process")
    assert (code, found["kind"], found["conforms"]) == (1, "replay", False)
    right, wrong = found["backends"]
    assert right["cases"][0]["case"] == CASE
    statuses = [{v["status"] for v in each["cases"][0]["verdicts"]} for each in (right, wrong)]
    assert "fail" not in statuses[0]
    assert "fail" in statuses[1]
    assert convcheck("replay", CASE, "-b", "numpy", "--in-process")[0] == 0


def test_a_history_that_is_replayed(convcheck):
    code, found = convcheck("replay", "--history", f"{CASE} {CASE},seed=1", "-b", "numpy", "--in-process")
    assert (code, found["conforms"]) == (0, True)
    steps = found["backends"][0]["steps"]
    assert [step["step"] for step in steps] == [CASE, f"{CASE},seed=1"]
    assert all(step["verdicts"] for step in steps)


def test_a_list(convcheck):
    _, found = convcheck("list")
    (numpy,) = [backend for backend in found["backends"] if backend["name"] == "numpy"]
    assert numpy["state"] == "installed"
    assert set(numpy) == {"name", "distribution", "target", "state"}


def test_doctor(convcheck):
    code, found = convcheck("doctor", "-b", "numpy")
    assert (code, found["usable"]) == (0, True)
    assert {"about", "found", "advice"} == set(found["facts"][0])
    assert any(fact["about"] == "backend numpy" for fact in found["facts"])


def test_a_difference(convcheck, tmp_path):
    write_report(RECORD, tmp_path / "a")
    code, found = convcheck("diff", tmp_path / "a", tmp_path / "a")
    assert (code, found["kind"], found["changed"]) == (0, "diff", [])


def test_what_is_characterized(convcheck):
    options = ("--examples", 4, "--dtype", "float32", "--in-process")
    _, found = convcheck("characterize", "-b", "numpy", *options)
    assert set(found) == {"kind", "schema", "backend", "declaration", "promises", "unexplained"}
    assert {"dtype", "quantity", "gives_up", "passing_cases"} == set(found["promises"][0])


def test_a_certificate(convcheck):
    options = ("--only", "bias-lost-with-groups", "--examples", 30, "--variant-examples", 1)
    code, found = convcheck("certify", *options)
    assert (found["kind"], found["holds"]) == ("certify", code == 0)
    assert found["detections"]


def test_large_layers(convcheck):
    code, found = convcheck("large", "-b", "numpy", "--memory", "0.0025")
    assert (code, found["conforms"]) == (0, True)
    assert "pass" in {case["verdict"]["status"] for case in found["cases"]}


def test_an_error_leaves_standard_output_empty(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["convcheck", "replay", "nonsense", "-b", "numpy", "--json"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert (exit_.value.code, capsys.readouterr().out) == (2, "")


def test_what_json_has_not_is_text():
    evidence = Evidence((0, 1), "é\x9b", "1", 1, 2, "there")
    found = plain({"margin": float("inf"), "nan": float("nan"), "level": Level.IEEE, "evidence": evidence, 3: None})
    assert found == {
        "margin": "inf",
        "nan": "nan",
        "level": "ieee",
        "evidence": {"index": [0, 1], "expected": "é\x9b", "got": "1", "wrong": 1, "total": 2, "location": "there"},
        "3": None,
    }
