"""Whatever is typed wrong ends with exit status 2 and a message that names it; a bug of ours alone ends with 3."""

import sys

import pytest

from convcheck import cli
from convcheck.model.record_lines import to_lines
from full_record import RECORD

CASE = "v1,x=1x1x4x4,out=1,k=1"
RUN = ("run", "-b", "numpy", "--examples", "1")


@pytest.fixture
def convcheck(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convcheck", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*RUN, "--limit", "inf"), "Invalid value for '--limit'"),
        ((*RUN, "--limit", "nan"), "Invalid value for '--limit'"),
        ((*RUN, "--limit", "1e300"), "'--limit'"),
        ((*RUN, "--seed", "9" * 4000), "'--seed'"),
        ((*RUN, "--workers", "1000000000"), "'--workers'"),
        ((*RUN, "--examples", "1" + "0" * 30), "'--examples'"),
        ((*RUN, "--time", "1e400s"), "--time '1e400s' is no time"),
        ((*RUN, "--dtype", ""), "--dtype '' is no dtype; expected some of float16"),
        ((*RUN, "--clause", "nonsense"), "no clause is called 'nonsense'"),
        ((*RUN, "--name", "../../x"), "the name '../../x' has a '/' in it"),
        ((*RUN, "--name", "a\0b"), "cannot be shown"),
        ((*RUN, "--report-dir", __file__), "no report can be written to"),
        ((*RUN, "--database", "a\0b"), "is no folder; expected one"),
        (("large", "-b", "numpy", "--dtype", "float8"), "--dtype 'float8' is no dtype"),
        (("large", "-b", "numpy", "--memory", "inf"), "'--memory'"),
        (("large", "-b", "[red]x[/blue].py:f"), "[red]x[/blue].py does not exist"),
        (("characterize", "-b", "numpy", "--seed", "-1"), "'--seed'"),
        (("certify", "--only", "nosuch"), "nosuch"),
        (("certify", "--only", "variants", "--report-dir", __file__), "no report can be written to"),
        (("replay", CASE, "-b", ":x"), "'' is no module"),
        (("replay", "v1,x=1x3x100000x100000,out=1,k=1", "-b", "numpy"), "too large to be judged"),
        (("replay", "-b", "numpy", "--history", f"{CASE}@times=1000000000"), "expected at most 1,000,000"),
        (("explain", "Conv2d(3, 10, 5)", "--input", "x"), "--input 'x' is no shape; expected N,C,H,W"),
        (("explain", "\x1b[31m"), "cannot be read"),
        (("report", "x" * 5000), "cannot be read: "),
        (("report", "/dev/zero"), "is a device"),
        (("spec", "more"), "more"),
        (("\x1b[31m[red]",), "No such command"),
    ],
)
def test_what_is_wrong_is_named(convcheck, arguments, said):
    code, message = convcheck(*arguments)
    assert code == 2
    assert said in message
    assert message.startswith("convcheck: ")
    assert "Traceback" not in message
    assert not set("\x1b\x07\0") & set(message)
    assert len(message) < 2000


def test_a_broken_record_is_named_with_file_line_and_field(convcheck, tmp_path):
    first, *others = to_lines(RECORD)
    (tmp_path / "findings.jsonl").write_text("\n".join([first.replace('"seed": 3', '"seed": "3"'), *others]))
    code, message = convcheck("report", str(tmp_path))
    assert code == 2
    assert f"{tmp_path / 'findings.jsonl'}: line 1: field seed: " in message


def test_without_a_command_the_help_is_shown(convcheck):
    code, message = convcheck()
    assert code == 2
    assert "Traceback" not in message


def test_a_bug_of_ours_ends_with_3(convcheck, monkeypatch):
    monkeypatch.setattr("convcheck.cli.spec.specification_markdown", lambda: 1 / 0)
    code, message = convcheck("spec")
    assert code == 3
    assert "ZeroDivisionError" in message
    assert message.endswith("convcheck: internal error: this is a bug of convcheck, not of your backend\n")
