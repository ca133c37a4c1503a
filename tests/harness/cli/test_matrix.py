"""`convcheck matrix`, `diff` between two of them, and `issue`."""

import json
from dataclasses import replace

import pytest

from convcheck.cli.output import as_json_text
from convcheck.model.guarantees import Guarantee
from convcheck.report import write_report
from convcheck.report.compatibility.matrix_file import KIND
from full_matrix import BROKEN, JUDGED, MATRIX
from full_record import RECORD, RIGHT

SHUT_IN = Guarantee(name="network", what="reach the network", holds=True, by="a namespace")
FILES = {"matrix.html", "matrix.md", "matrix.csv", "matrix.json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs, one without findings, and two matrices."""
    folder = tmp_path_factory.mktemp("matrices")
    for name in ("a", "b"):
        write_report(replace(JUDGED, name=name), folder / name)
    write_report(replace(RECORD, name="none", findings=()), folder / "none")
    for name, matrix in (("before", MATRIX), ("after", BROKEN)):
        (folder / name).mkdir()
        (folder / name / "matrix.json").write_text(as_json_text(KIND, matrix))
    return folder


@pytest.fixture
def convcheck(monkeypatch, command, folder):
    monkeypatch.chdir(folder)
    return command


def test_runs_that_were_judged_are_put_together_in_four_forms(convcheck, folder):
    code, out, err = convcheck("matrix", "--from", "a", "b", "a", "--name", "both")
    assert (code, err) == (1, "")
    assert "4 engines judged, 2 unavailable" in out
    assert {file.name for file in (folder / "reports" / "both").iterdir()} == FILES


def test_backends_that_are_named_are_judged_as_a_run_does_it(convcheck, folder):
    code, out, _ = convcheck("matrix", "-b", "numpy", "--examples", "2", "--workers", "1", "--name", "new")
    folder = folder / "reports" / "new"
    assert (code, {file.name for file in folder.iterdir()} >= FILES) == (0, True)
    assert (folder / "findings.jsonl").is_file()
    assert "1 engine judged" in out
    (engine,) = json.loads((folder / "matrix.json").read_text())["engines"]
    assert (engine["name"], engine["cases"] >= 2) == ("numpy", True)
    told_apart = [cell for cell in engine["cells"] if cell["passes"]]
    assert {cell["state"] for cell in told_apart} == {"pass"}
    assert all(each["right"] <= cell["cases"] for cell in told_apart for each in cell["passes"])


def test_the_level_of_the_question_decides_the_exit_status(convcheck, tmp_path):
    right = replace(JUDGED, backends=JUDGED.backends[1:2], findings=())
    right = replace(right, counts=tuple(c for c in right.counts if c.backend == RIGHT))
    write_report(replace(right, levels=tuple(c for c in right.levels if c.backend == RIGHT)), tmp_path)
    assert convcheck("matrix", "--from", tmp_path, "--name", "right")[0] == 0
    assert convcheck("matrix", "--from", "a", "--level", "computes", "--name", "wrong")[0] == 1


def test_two_matrices_are_compared(convcheck):
    code, out, _ = convcheck("diff", "before", "after")
    assert (code, "1 new cell" in out, "C2D-SHAPE-4" in out) == (1, True, True)
    assert convcheck("diff", "after", "before")[0] == 0
    code, out, _ = convcheck("diff", "before/matrix.json", "after/matrix.json", "--json")
    assert (code, json.loads(out)["kind"], len(json.loads(out)["changed"])) == (1, "matrix diff", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("matrix", "--from"), "--from needs the folders of runs"),
        (("matrix", "a"), "a: runs are put together with --from"),
        (("matrix", "--from", "a", "-b", "numpy"), "leave out --backend"),
        (("matrix", "--from", "nowhere"), "nowhere cannot be read"),
        (("matrix", "--from", "a", "--name", "x/y"), "has a '/' in it"),
        (("matrix", "-b", "nonesuch"), "no backend is named 'nonesuch'"),
        (("diff", "a", "before"), "a is a run, before a matrix"),
        (("diff", "before/matrix.json", "none.json"), "none.json cannot be read"),
        (("issue", "nowhere"), "nowhere cannot be read"),
        (("issue", "a"), "has 9 findings; name one by its number, 1 to 9"),
        (("issue", "a", "99"), "no finding 99; expected a number from 1 to 9"),
        (("issue", "a", "0"), "'FINDING'"),
        (("issue", "none"), "has no findings"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(convcheck, arguments, said):
    code, _, err = convcheck(*arguments)
    *_, last = err.splitlines()
    assert (code, said in last) == (2, True), err


def test_a_finding_is_a_bug_report(convcheck):
    code, out, err = convcheck("issue", "a", "1")
    assert (code, err) == (0, "")
    assert out.startswith("# conv2d: output is wrong")
    code, out, err = convcheck("issue", "a", "3")
    assert (code, "No one case shows it." in out) == (0, True)


@pytest.mark.parametrize(
    ("guarantees", "said"),
    [((), "RuntimeError: no words"), ((SHUT_IN,), "an untrusted candidate is not imported")],
    ids=["trusted", "untrusted"],
)
def test_a_backend_that_cannot_be_asked_has_the_script_of_the_report(convcheck, tmp_path, guarantees, said):
    (tmp_path / "raising.py").write_text(
        "import convcheck\n\nclass Raising(convcheck.Backend):\n"
        "    name = 'raising'\n    capabilities = convcheck.Capabilities()\n"
        "    def conv2d(self, x, weight, bias, params):\n        return x\n"
        "    def script_lines(self, call):\n        raise RuntimeError('no words')\n"
    )
    backend = replace(RECORD.backends[0], spec=f"{tmp_path / 'raising.py'}:Raising", guarantees=guarantees)
    finding = RECORD.findings[0]
    call = finding.reproduction.call
    plain = {name: replace(tensor, layout="contiguous") for name, tensor in call.tensors.items()}
    finding = replace(finding, reproduction=replace(finding.reproduction, call=replace(call, tensors=plain)))
    write_report(replace(RECORD, backends=(backend, *RECORD.backends[1:]), findings=(finding,)), tmp_path / "c")
    code, out, err = convcheck("issue", tmp_path / "c")
    assert (code, said in err, "lay_out(" in out) == (0, True, True)
