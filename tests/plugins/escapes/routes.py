"""The ways out of an untrusted run that are tried: each a function that raises where the way is closed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUTES = []
TARGETS = json.loads(Path(__file__).with_name("targets.json").read_text(encoding="utf-8"))
"""What the trial has put there to be reached: `pid` of a process, `report`, a file of the judge's, `packages`."""


@dataclass(frozen=True)
class Route:
    """A way, what it leads to ("convolution", "reference", "judge", "machine"), and what goes it."""

    name: str
    to: str
    go: Any


def route(to):
    """Register a function as a way to something."""

    def registered(go):
        ROUTES.append(Route(go.__name__.replace("_", " "), to, go))
        return go

    return registered
