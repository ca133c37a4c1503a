import gc
import subprocess
import sys
from inspect import getdoc

import pytest
import typer
from typer.testing import CliRunner

from convcheck.cli.app import COMMANDS
from convcheck.cli.lazy_group import Lazy, lazy_group

LIBRARIES = ("torch", "numpy", "hypothesis", "jinja2", "distributed", "convcheck_backends")


def imported(*arguments):
    """What a command line has imported of the libraries, and of convcheck."""
    code = (
        f"import sys\nsys.argv = ['convcheck', *{arguments!r}]\nfrom convcheck.cli import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_is_said_of_all_commands_imports_none(option):
    modules = imported(option)
    assert modules.isdisjoint(LIBRARIES)
    assert not {command.target.partition(":")[0] for command in COMMANDS.values()} & modules


@pytest.mark.parametrize("arguments", [("list",), ("spec",), ("explain", "Conv2d(1, 1, 1)")])
def test_a_command_that_judges_nothing_imports_nothing_that_judges(arguments):
    modules = imported(*arguments)
    assert modules.isdisjoint({*LIBRARIES} - {"numpy"})
    assert not [name for name in modules if name.startswith(("convcheck.judging", "convcheck.oracles"))]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_its_function_says(name):
    module, _, function = COMMANDS[name].target.partition(":")
    assert getdoc(getattr(__import__(module, fromlist=[function]), function)) == COMMANDS[name].summary


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A command, and one that cannot be imported."""
    (tmp_path / "lazy_commands.py").write_text("def add(a: int, b: int = 1):\n    print(a + b)\n")
    monkeypatch.syspath_prepend(tmp_path)
    commands = {"add": Lazy("lazy_commands:add", "Add numbers."), "gone": Lazy("no_such_module:run", "Nothing.")}
    app = typer.Typer(cls=lazy_group(commands))
    app.callback()(lambda: None)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_only_the_command_that_is_run_is_imported(group):
    help_ = group("--help")
    assert "Add numbers." in help_.output
    assert "Nothing." in help_.output
    assert group("add", "2", "--b", "3").output == "5\n"
    assert isinstance(group("gone").exception, ModuleNotFoundError)
    assert gc.isenabled()


def test_a_command_has_a_help_of_its_own(group):
    said = group("add", "--help").output
    assert "Add numbers." in said
    assert "--b" in said


def test_a_misspelled_command_is_told_which_there_are(group):
    found = group("ad")
    assert found.exit_code == 2
    assert "Did you mean 'add'?" in found.output
