"""`convcheck run` on given cases, what it says as it goes on, and where its defaults come from."""

import json
from importlib import import_module

import pytest

from convcheck.cli import running

CASE, OTHER = "v1,x=1x2x4x4,out=2,k=1", "v1,x=1x2x4x13,out=2,k=1"
WRONG = """
from convcheck_backends import NumpyBackend

class Wrong(NumpyBackend):
    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        return right if x.shape[-1] != 13 else right + x.dtype.type(1)
"""
FEW = ("--database", "none", "--in-process", "--name", "n", "--diagnosis-calls", 60)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path


@pytest.fixture
def convcheck(command, folder):
    return command


@pytest.fixture
def asked(monkeypatch):
    """What a run would be asked for; nothing is judged."""
    found = []
    monkeypatch.setattr(import_module("convcheck.cli.run"), "run_and_report", lambda *a, **k: found.append((a, k)) or 0)
    return lambda: found[-1][0][0]


def test_given_cases_are_judged_and_no_others(convcheck, folder):
    (folder / "cases").write_text(f"{CASE}\n{OTHER} # wide\n")
    code, out, _ = convcheck("run", "-b", "wrong.py:Wrong", "--batch", "cases", *FEW, "--json")
    found = json.loads(out)
    assert (code, found["cases"], found["examples"]) == (1, 2, 0)
    assert {finding["level"] for finding in found["findings"]} >= {"computes"}
    (folder / "right").write_text(f"{CASE}\n")
    assert convcheck("run", "-b", "wrong.py:Wrong", "--batch", "right", *FEW)[0] == 0
    assert "| given " in (folder / "reports" / "n" / "summary.md").read_text().replace("| wrong.py:Wrong ", "")


def test_given_cases_come_besides_drawn_ones_that_are_asked_for(convcheck, folder, asked):
    (folder / "cases").write_text(f"{CASE}\n")
    convcheck("run", "-b", "numpy", "--batch", "cases", "--examples", 30)
    assert (asked().given, asked().examples, asked().total) == ((CASE,), 30, 31)


def test_a_bad_line_is_named_before_anything_is_judged(convcheck, folder, asked):
    (folder / "cases").write_text(f"{CASE}\nv2,x=1\n")
    for command in ("run", "replay"):
        code, _, err = convcheck(command, "-b", "numpy", "--batch", "cases")
        assert code == 2
        assert "cases, line 2: a case starts with its version" in err
    assert not (folder / "reports").exists()
    assert convcheck("run", "-b", "numpy", "--batch", "cases", "--time", "9s")[0] == 2


def test_cases_of_a_file_are_replayed_each_with_its_verdicts(convcheck, folder):
    (folder / "cases").write_text(f"{CASE}\n{OTHER}\n")
    code, out, _ = convcheck("replay", "-b", "wrong.py:Wrong", "--batch", "cases", "--in-process")
    assert code == 1
    right, wrong = out.split(OTHER)
    assert " fail " not in right
    assert " fail " in wrong


def test_a_run_says_at_once_what_it_does_and_tells_what_it_finds(convcheck, folder):
    (folder / "cases").write_text(f"{CASE}\n{OTHER}\n")
    _, _, err = convcheck("run", "-b", "wrong.py:Wrong", "--batch", "cases", *FEW)
    first, *lines = err.splitlines()
    assert first.startswith("judging wrong.py:Wrong on 2 given cases, seed 0, ")
    assert first.endswith("report: reports/n")
    seen = [line for line in lines if "] seen: wrong.py:Wrong: `output` is wrong" in line]
    causes = [line for line in lines if "] cause: wrong.py:Wrong: `output` is wrong" in line]
    assert len(seen) == 1
    assert causes
    assert f"convcheck replay {OTHER} " in seen[0]
    smallest = [line for line in lines if "] smallest case: wrong.py:Wrong: `output` is wrong" in line]
    assert lines.index(seen[0]) < lines.index(smallest[0]) < lines.index(causes[0])


def test_settings_of_the_project_are_defaults_and_what_is_typed_beats_them(convcheck, folder, asked):
    (folder / "pyproject.toml").write_text(
        "[tool.convcheck]\nbackends = ['numpy']\nexamples = 7\nseed = 3\nlevel = 'ieee'\ndtypes = ['float32']\n"
        "diagnosis-time = '10s'\nmemory = '1G'\n"
    )
    convcheck("run")
    options = asked()
    assert (options.specs, options.examples, options.seed, str(options.level)) == (("numpy",), 7, 3, "ieee")
    assert (options.dtypes, options.diagnosis_seconds, options.memory) == (("float32",), 10.0, 10**9)
    convcheck("run", "-b", "torch-cpu", "--seed", 0, "--level", "state", "--dtype", "float64")
    options = asked()
    assert (options.specs, options.seed, str(options.level)) == (("torch-cpu",), 0, "state")
    assert options.dtypes == ("float64",)
    convcheck("run", "--time", "9s")
    assert (asked().examples, asked().seconds) == (None, 9.0)


def test_another_file_of_settings_is_named_or_none(convcheck, folder, asked):
    (folder / "pyproject.toml").write_text("[tool.convcheck]\nbackends = ['numpy']\n")
    (folder / "other.toml").write_text("[tool.convcheck]\nbackends = ['torch-cpu']\n")
    convcheck("--config", "other.toml", "run")
    assert asked().specs == ("torch-cpu",)
    code, _, err = convcheck("--config", "none", "run")
    assert code == 2
    assert "--backend" in err


def test_settings_that_nobody_understands_are_refused_where_they_are_used(convcheck, folder):
    (folder / "pyproject.toml").write_text("[tool.convcheck]\nexample = 7\n")
    code, _, err = convcheck("run", "-b", "numpy")
    assert code == 2
    assert "line 2: [tool.convcheck] has an unknown key 'example'; did you mean examples?" in err
    assert convcheck("spec")[0] == 0


def test_findings_are_shown_on_the_pages_of_github(convcheck, folder, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "job.md"))
    (folder / "cases").write_text(f"{OTHER}\n")
    _, out, _ = convcheck("run", "-b", "wrong.py:Wrong", "--batch", "cases", *FEW, "--github")
    assert "\n::error file=wrong.py,line=4,title=computes%3A " in out
    assert (folder / "job.md").read_text().startswith("## convcheck: DOES NOT CONFORM")


def test_the_schema_of_settings_is_printed(convcheck):
    code, out, _ = convcheck("schema")
    assert code == 0
    assert json.loads(out)["properties"]["examples"]["anyOf"][0]["minimum"] == 1


@pytest.mark.parametrize(("given", "said"), [(1, "1 judging process;"), (3, "3 judging processes;")])
def test_words_count(given, said):
    options = running.Options(specs=("a", "b"), seconds=9.0, examples=None, workers=given)
    assert said in running._begins(options, "f")
    assert "judging a, b for 9 seconds each" in running._begins(options, "f")
