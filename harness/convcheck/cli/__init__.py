"""The command line. Exit status: 0 conforms up to the level asked for, 1 findings, 2 usage, 3 internal error."""

from __future__ import annotations

import sys
import traceback

from convcheck.cli.app import app
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
    except ConvcheckError as error:
        sys.stderr.write(f"convcheck: {error}\n")
        sys.exit(USAGE)
    except Exception:  # noqa: BLE001  (anything else is ours)
        sys.stderr.write(traceback.format_exc())
        sys.stderr.write("convcheck: internal error: this is a bug of convcheck, not of your backend\n")
        sys.exit(INTERNAL)
