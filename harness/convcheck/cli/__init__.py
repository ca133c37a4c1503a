"""The command line.

Exit status: 0 conforms up to the level asked for, 1 findings or an unfinished run, 2 usage, 3 what was judged cannot be
written any more, or an internal error, 128 and the number of the signal where a second one ended it at once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Any, Final

import typer

from convcheck.campaign.errors import JournalError
from convcheck.campaign.stopping import StopAtOnce
from convcheck.cli.app import app
from convcheck.cli.output import complain
from convcheck.report.errors import ReportError
from convcheck_reference.errors import ConvcheckError, SelfCheckError

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
        status = app(prog_name="convcheck", standalone_mode=False) or 0
    except _UsageError as error:
        status = _usage(error)
    except (ConvcheckError, StopAtOnce, typer.Abort) as error:
        status, said = _told(error)
        complain(f"convcheck: {said}")
    except BrokenPipeError:
        # whoever read has had enough; Python would say so once more as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = CLOSED
    except Exception:  # noqa: BLE001  (anything else is ours)
        complain(traceback.format_exc())
        complain("convcheck: internal error: this is a bug of convcheck, not of your backend")
        status = INTERNAL
    return int(status)


def _told(error: BaseException) -> tuple[int, str]:
    """The exit status of an error that is none of ours, and what is said of it."""
    if isinstance(error, StopAtOnce):
        return 128 + error.number, "stopped at once; `convcheck resume` goes on from what the journal has"
    if isinstance(error, typer.Abort):
        return 128 + signal.SIGINT, "interrupted"
    if isinstance(error, SelfCheckError):
        return INTERNAL, f"internal error: {error}"
    return INTERNAL if isinstance(error, JournalError | ReportError) else USAGE, str(error)


def _usage(error: Any) -> int:
    """Say what is wrong with the command line; where nothing was asked for, Typer has shown the help."""
    if message := error.format_message():
        context = getattr(error, "ctx", None)
        hint = f"; try '{context.command_path} --help'" if context else ""
        complain(f"convcheck: {message}{hint}")
    return int(error.exit_code)
