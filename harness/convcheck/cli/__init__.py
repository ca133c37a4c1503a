"""The command line. Exit status: 0 conforms up to the level asked for, 1 findings, 2 usage, 3 internal error."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any, Final

import typer

from convcheck.cli.app import app
from convcheck.cli.output import complain
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.selfcheck import SelfCheckError

__all__ = ["main"]

CLOSED: Final = 1
USAGE: Final = 2
INTERNAL: Final = 3

_UsageError: Final[Any] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
"""Of click, or of Typer's copy of it: Typer has either, and does not export this one."""


def main() -> None:
    """Run the command line and exit."""
    sys.exit(_status())


def _status() -> int:
    try:
        # otherwise Typer prints errors itself, as they are
        return app(prog_name="convcheck", standalone_mode=False) or 0
    except _UsageError as error:
        return _usage(error)
    except SelfCheckError as error:
        complain(f"convcheck: internal error: {error}")
        return INTERNAL
    except ConvcheckError as error:
        complain(f"convcheck: {error}")
        return USAGE
    except BrokenPipeError:
        # whoever read has had enough; Python would say so once more as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except Exception:  # noqa: BLE001  (anything else is ours)
        complain(traceback.format_exc())
        complain("convcheck: internal error: this is a bug of convcheck, not of your backend")
        return INTERNAL


def _usage(error: Any) -> int:
    """Say what is wrong with the command line; where nothing was asked for, Typer has shown the help."""
    if message := error.format_message():
        context = getattr(error, "ctx", None)
        hint = f"; try '{context.command_path} --help'" if context else ""
        complain(f"convcheck: {message}{hint}")
    return int(error.exit_code)
