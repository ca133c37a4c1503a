import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from convcheck.cli import app

VERSION = f"convcheck {version('convcheck')}\n"


def run(*arguments, **environment):
    command = [sys.executable, "-m", "convcheck", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def test_as_a_module_it_is_the_same_command_line():
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, VERSION, "")
    wrong = run("nothing")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("convcheck: No such command 'nothing'")


def test_the_version_needs_no_command():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, VERSION)


def test_the_help_has_a_line_for_each_option_and_says_what_convcheck_is():
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120", "TERMINAL_WIDTH": "120"})
    assert done.exit_code == 0
    assert "Does a Conv2d implementation compute what torch.nn.Conv2d is documented to compute?" in done.output
    options = [line for line in done.output.splitlines() if line.lstrip("│ ").startswith("--")]
    assert [line.split()[1] for line in options] == [
        *("--version", "--config", "--install-completion", "--show-completion", "--help")
    ]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("convcheck ru", "run"),
        ("convcheck run --see", "--seed"),
        ("convcheck run --backend torch-cpu-n", "torch-cpu-native"),
    ],
)
def test_a_shell_completes_commands_options_and_backends(typed, expected):
    words = typed.split()
    done = run(_CONVCHECK_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1))
    assert done.stdout.split() == [expected]
