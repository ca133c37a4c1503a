import sys

import pytest

from convcheck import cli


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command in this process: its exit status, and what it wrote to standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convcheck", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capsys.readouterr()

    return run
