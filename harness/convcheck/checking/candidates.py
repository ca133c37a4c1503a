"""What a program hands over to be judged, under a name that the engine can open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convcheck.plugin.live import is_importing, lent, live_name, spec_of
from convcheck_reference.errors import ConvcheckError


class CheckError(ConvcheckError, ValueError):
    """A check that cannot be made as it was asked for."""


@contextmanager
def opened_as(backend: Any, *, isolated: bool) -> Iterator[str]:
    """Within, the engine finds a backend under the spec that this yields.

    Args:
        backend: a spec, or an object.
        isolated: whether a process of its own has to find it.

    Raises:
        CheckError: that finds no such object; or it is the import of a backend that asks.
    """
    if is_importing():
        raise CheckError(
            "a backend's file makes a check while it is imported to be judged, which would go on for ever: put the "
            "check under `if __name__ == '__main__':`, or in a file of its own"
        )
    if isinstance(backend, str):
        yield backend
        return
    spec = spec_of(backend)
    if not isolated:
        with lent(spec or live_name(backend), backend):
            yield spec or live_name(backend)
    elif spec is None:
        raise CheckError(
            f"{live_name(backend)} cannot be judged in a process of its own, which finds a function or class by its "
            f"file and name: write it at the top of a module, or leave out isolated=True"
        )
    else:
        yield spec
