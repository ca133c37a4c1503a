"""What a backend answers when it is asked about itself, checked before anybody relies on it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final

from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.backend import Backend, UnavailableError
from convcheck.plugin.candidate_errors import RAISED, raised
from convcheck.plugin.registry_errors import BackendSignatureError

_METHODS: Final = tuple(
    name for name, member in vars(Accelerator).items() if inspect.isfunction(member) and name[0] != "_"
)


def versions_of(backend: Backend) -> dict[str, str]:
    """Its versions and settings.

    Raises:
        BackendSignatureError: asking raised, or the answer is no dictionary of texts.
    """
    try:
        found: object = backend.versions()
    except RAISED as error:
        raise BackendSignatureError(f"versions() of {backend.name} raised {raised(error)}") from error
    if not isinstance(found, Mapping) or not all(isinstance(text, str) for item in found.items() for text in item):
        raise BackendSignatureError(f"versions() of {backend.name} is {found!r}; expected a dictionary of texts")
    return dict(found)


def accelerator_of(backend: Backend) -> Accelerator | None:
    """Its device, as convcheck uses it; None for none.

    Raises:
        BackendSignatureError: asking raised, or the answer is no `Accelerator`.
        UnavailableError: the device is absent.
    """
    try:
        found = backend.accelerator()
    except UnavailableError:
        raise
    except RAISED as error:
        raise BackendSignatureError(f"accelerator() of {backend.name} raised {raised(error)}") from error
    # of streams and graphs a device needs to have what its backend declares
    if found is not None and not any(callable(getattr(found, name, None)) for name in _METHODS):
        raise BackendSignatureError(f"accelerator() of {backend.name} is {found!r}; expected an Accelerator, or None")
    return found
