"""The command line.

Exit status: 0 conforms up to the level asked for, 1 findings or an unfinished run, 2 usage, 3 what was judged cannot be
written any more, or an internal error, 128 and the number of the signal where a second one ended it at once.
"""

from __future__ import annotations

import sys
import traceback

from convcheck.campaign.journal import JournalError
from convcheck.campaign.stopping import StopAtOnce
from convcheck.cli.app import app
from convcheck.report import ReportError
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.selfcheck import SelfCheckError

__all__ = ["main"]

USAGE = 2
INTERNAL = 3


def main() -> None:
    """Run the command line and exit."""
    try:
        app()
    except SelfCheckError as error:
        sys.stderr.write(f"convcheck: internal error: {error}\n")
        sys.exit(INTERNAL)
    except (JournalError, ReportError) as error:
        sys.stderr.write(f"convcheck: {error}\n")
        sys.exit(INTERNAL)
    except StopAtOnce as stop:
        sys.stderr.write("convcheck: stopped at once; `convcheck resume` goes on from what the journal has\n")
        sys.exit(128 + stop.number)
    except ConvcheckError as error:
        sys.stderr.write(f"convcheck: {error}\n")
        sys.exit(USAGE)
    except Exception:  # noqa: BLE001  (anything else is ours)
        sys.stderr.write(traceback.format_exc())
        sys.stderr.write("convcheck: internal error: this is a bug of convcheck, not of your backend\n")
        sys.exit(INTERNAL)
