"""What a certification found, as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Final

import numpy as np

from convcheck.defects import Category

CONVCHECK: Final = "convcheck"
"""The name of the whole harness among the methods."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What one method made of one defect.

    Attributes:
        defect: its name.
        category: its category.
        method: `CONVCHECK`, or the name of a baseline.
        detected_at: number of the case that gave it away, from 1; None if none did.
        oracle: what spoke; empty for baselines.
        clause: that it judged.
        token: the case.
    """

    defect: str
    category: Category
    method: str
    detected_at: int | None
    oracle: str = ""
    clause: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class FalseAlarmCheck:
    """What the harness made of one legal variant.

    Attributes:
        variant: its name.
        cases: number of cases judged.
        alarms: how many of them failed, all of which are false.
        token: the first of these; empty if there is none.
        reason: what was said about it.
    """

    variant: str
    cases: int
    alarms: int
    token: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Certificate:
    """What a certification found.

    Attributes:
        examples: cases for each defect.
        variant_examples: cases for each variant.
        seed: of the generator.
        detections: every defect by every method.
        false_alarm_checks: every variant.
    """

    examples: int
    variant_examples: int
    seed: int
    detections: tuple[Detection, ...]
    false_alarm_checks: tuple[FalseAlarmCheck, ...]

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The methods, in the order of their detections."""
        return tuple(dict.fromkeys(d.method for d in self.detections))

    def by(self, method: str, category: Category | None = None) -> tuple[Detection, ...]:
        """What one method found, in one category or in all."""
        return tuple(d for d in self.detections if d.method == method and category in (None, d.category))

    @property
    def missed(self) -> tuple[Detection, ...]:
        """The defects that the harness did not detect."""
        return tuple(d for d in self.by(CONVCHECK) if d.detected_at is None)

    @property
    def false_alarms(self) -> int:
        """Cases in which a legal variant failed."""
        return sum(a.alarms for a in self.false_alarm_checks)

    @property
    def holds(self) -> bool:
        """Whether something was certified, every defect was detected, and no variant failed."""
        return bool(self.detections or self.false_alarm_checks) and not self.missed and not self.false_alarms

    def json_lines(self) -> str:
        """One JSON object a line: the settings, then every detection, then every variant."""
        settings = {"examples": self.examples, "variant_examples": self.variant_examples, "seed": self.seed}
        rows = [
            {"kind": "certificate", **settings},
            *({"kind": "detection", **asdict(d)} for d in self.detections),
            *({"kind": "variant", **asdict(a)} for a in self.false_alarm_checks),
        ]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def quantile(detections: Sequence[Detection], share: float) -> int | None:
    """The number of cases within which this share of the defects was detected; None if it never was."""
    found = sorted(d.detected_at for d in detections if d.detected_at is not None)
    needed = int(np.ceil(share * len(detections)))
    return found[needed - 1] if 0 < needed <= len(found) else None
