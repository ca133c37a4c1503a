"""A backend in a virtual environment, as a user names it: `onnxruntime@1.24`, `torch-cpu@torch@2.4?threads=2`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from convcheck.plugin.backend_spec import parted

_IN_AN_ENVIRONMENT: Final = re.compile(r"(?P<backend>.+?)@(?P<release>[\w.+!@-]+)")


@dataclass(frozen=True, slots=True)
class Placed:
    """A backend in an environment: what it is called there, and in which it is asked for."""

    backend: str
    release: str

    @classmethod
    def of(cls, spec: str) -> Placed | None:
        """What a spec says; None for a backend of this environment."""
        name, options = parted(spec)
        found = _IN_AN_ENVIRONMENT.fullmatch(name)
        return None if found is None else cls(f"{found['backend']}{options}", found["release"])

    @property
    def names(self) -> tuple[str, str]:
        """The environments that it may be in, the most telling first."""
        return f"{parted(self.backend)[0].rpartition(':')[2]}@{self.release}", self.release
