import json
import sys
from pathlib import Path

import pytest

from convcheck import Level, cli

PLUGINS = Path(__file__).parents[2] / "plugins"


def convcheck(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["convcheck", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code


def test_explain_counts_filters_and_activations(monkeypatch, capsys):
    layer = "Conv2d(3, 10, kernel_size=5, stride=1, padding=2)"
    assert convcheck(monkeypatch, "explain", layer, "--input", "16,3,28,28") == 0
    assert "125,440 activations" in capsys.readouterr().out
    assert convcheck(monkeypatch, "explain", layer, "--input", "16,3,28,28", "--json") == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert facts["activations"] == 125_440
    assert facts["weight_shape"] == [10, 3, 5, 5]


def test_a_case_is_explained_on_a_page_of_its_own(monkeypatch, capsys, tmp_path):
    page = tmp_path / "layer.html"
    assert convcheck(monkeypatch, "explain", "v1,x=1x3x8x8,out=4,k=3", "--html", page) == 0
    assert capsys.readouterr().out == f"page: {page}\n"
    assert "<svg" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("v1,x=1x3x8x8,out=4,k=3", "--input", "1,3,8,8"), "a case has its input in x=…; leave out --input"),
        (("Conv2d(1, 1, 1)", "--html", "/nowhere/at/all.html"), "--html '/nowhere/at/all.html' cannot be written: No such"),
        (("ConvTranspose2d(1, 1, 1)",), "ConvTranspose2d is another layer"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_says_why(monkeypatch, capsys, arguments, words):
    assert convcheck(monkeypatch, "explain", *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_case_with_flawed_tensors_is_illegal(monkeypatch, capsys):
    assert convcheck(monkeypatch, "explain", "v1,x=1x3x8x8,out=4,k=3,flaw=input_ndim") == 1
    assert "illegal: the input has two dimensions" in capsys.readouterr().out


def test_an_illegal_layer_is_explained(monkeypatch, capsys):
    assert convcheck(monkeypatch, "explain", "Conv2d(3, 10, 5, groups=2)") == 1
    assert "does not divide in_channels=3" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--backend", "no-such-backend", "--examples", "1"),
        ("run", "--backend", "numpy", "--clause", "C2D-NONE-1"),
        ("run", "--backend", "numpy", "--time", "soon"),
        ("run", "--backend", "numpy", "--level", "perfect"),
        ("run", "--backend", "numpy", "--untrusted", "--in-process"),
        ("replay", "nonsense", "--backend", "numpy"),
        ("explain", "__import__('os')"),
        ("report", "/nowhere"),
    ],
)
def test_usage_errors(monkeypatch, capsys, arguments):
    assert convcheck(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err


def test_a_run_writes_its_report_and_conforms(monkeypatch, tmp_path, capsys):
    assert convcheck(monkeypatch, "run", "--backend", "numpy", "--examples", 40, "--report-dir", tmp_path) == 0
    (folder,) = tmp_path.iterdir()
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "summary.md",
        "summary.txt",
        "discrepancies.md",
        "journal.jsonl",
        "junit.xml",
        "findings.jsonl",
        "index.html",
        "badge.json",
    }
    assert "CONFORMS" in (folder / "summary.md").read_text()
    before = (folder / "index.html").read_text()
    assert convcheck(monkeypatch, "report", folder) in (0, None)
    assert (folder / "index.html").read_text() == before


def test_a_run_in_which_nothing_is_judged_fails(monkeypatch, tmp_path, capsys):
    options = ("--examples", 1, "--clause", "C2D-GRAD-7", "--report-dir", tmp_path)
    assert convcheck(monkeypatch, "run", "--backend", "numpy", *options) == 1
    assert "NOTHING WAS JUDGED" in capsys.readouterr().out


def test_findings_beyond_the_level_do_not_count_but_are_reported(monkeypatch, tmp_path, capsys):
    options = ("--examples", 30, "--reach", "quick", "--report-dir", tmp_path, "--name", "levels")
    options += ("--database", "none", "--level", "Precision", "--diagnosis-calls", 100)
    backend = f"{PLUGINS / 'wrong_kernels.py'}:accepts_anything"
    assert convcheck(monkeypatch, "run", "--backend", backend, *options) == 0
    said = capsys.readouterr().out
    assert " computes every legal layer right (" in said.split("\n")[0]
    assert " of illegal arguments too little;" in said.split("\n")[0]
    assert "\n1. refuses, C2D-ERROR-" in said
    folder = tmp_path / "levels"
    assert json.loads((folder / "badge.json").read_text())["color"] == "brightgreen"
    # another level needs no other run
    for level in ("refuses", "state"):
        assert convcheck(monkeypatch, "report", folder, "--level", level) in (0, None)
        assert json.loads((folder / "badge.json").read_text())["color"] == "red"
    assert convcheck(monkeypatch, "report", folder) in (0, None)
    assert "\nDOES NOT CONFORM: " in capsys.readouterr().out


def test_a_level_that_there_is_not_is_answered_with_those_that_there_are(monkeypatch, capsys):
    assert convcheck(monkeypatch, "run", "--backend", "numpy", "--level", "perfect") == 2
    said = capsys.readouterr().err
    assert all(f"'{level}'" in said for level in Level)


def test_replay_shows_every_verdict(monkeypatch, capsys):
    assert convcheck(monkeypatch, "replay", "v1,x=2x4x6x5,out=6,k=3x2,s=2,g=2", "--backend", "numpy") == 0
    assert "gradients-exact" in capsys.readouterr().out


def test_large_indices_are_judged_in_the_memory_given(monkeypatch, capsys):
    assert convcheck(monkeypatch, "large", "--backend", "numpy", "--memory", "0.0025") == 0
    assert "65536 images" in capsys.readouterr().out
    assert convcheck(monkeypatch, "large", "--backend", "numpy", "--memory", "0.001", "--dtype", "float64") == 1
    assert "allow more --memory" in capsys.readouterr().out
