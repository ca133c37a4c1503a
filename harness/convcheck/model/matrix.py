"""The compatibility matrix: engines in their versions × clauses, folded by level, and each cell by dtype and pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from convcheck.model.levels import Level
from convcheck.model.passes import Pass
from convcheck.model.record import Finding


class State(StrEnum):
    """What a cell says. Where nothing could tell right from wrong it is "not applicable" or "not judged", no pass."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    BEYOND = "fails beyond the level"
    KNOWN = "known failure"
    OUTDATED = "unexpected pass"
    ELSEWHERE = "in failures of another clause"
    NOT_APPLICABLE = "not applicable"
    NOT_JUDGED = "not judged"


STATES: Final[Mapping[State, str]] = {
    State.PASS: "judged, and right in every case",
    State.FAIL: "wrong, and nobody knew of it",
    State.BEYOND: "wrong at a level that does not count",
    State.KNOWN: "wrong, as an entry of the known failures says",
    State.OUTDATED: "right now where an entry of the known failures says that it is wrong",
    State.ELSEWHERE: "wrong in cases whose failure is counted under another clause",
    State.NOT_APPLICABLE: "the engine does not declare it",
    State.NOT_JUDGED: "no case could tell right from wrong",
}
"""Each state in words."""

WRONG: Final = (State.FAIL, State.OUTDATED)
"""States that make an engine not conform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassCell:
    """One dtype in one pass, for one clause.

    Attributes:
        dtype: its name.
        of_pass: what was computed.
        state: what came of it.
        right: cases in which it was.
        wrong: cases in which it was not.
    """

    dtype: str
    of_pass: Pass
    state: State
    right: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What came of one clause.

    Attributes:
        clause: its id.
        state: what came of it.
        cases: that could tell right from wrong.
        wrong: those of them in which it was wrong, in this state's way.
        reason: why it does not apply, or was not judged; empty elsewhere.
        findings: of the matrix that it leads to, by number.
        passes: the same by dtype and pass, as far as that is known.
    """

    clause: str
    state: State
    cases: int = 0
    wrong: int = 0
    reason: str = ""
    findings: tuple[int, ...] = ()
    passes: tuple[PassCell, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCell:
    """Where an engine stands at one level: findings by number, and cases that were right and wrong."""

    level: Level
    state: State
    findings: tuple[int, ...]
    right: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A column: one backend of one run.

    Attributes:
        name: of the backend.
        version: of its engine: the first that it names.
        versions: all, with settings.
        run: that judged it.
        command: that repeats the run.
        started: when that began.
        seed: of its generator.
        cases: that were judged.
        unavailable: why it could not run; empty if it ran.
        interrupted: whether the run is unfinished.
        not_applicable: cases that it does not declare, by reason.
        levels: where it stands.
        cells: by clause; none where it could not run.
    """

    name: str
    version: str
    versions: Mapping[str, str]
    run: str
    command: str
    started: str
    seed: int
    cases: int = 0
    unavailable: str = ""
    interrupted: bool = False
    not_applicable: Mapping[str, int] = field(default_factory=dict)
    levels: tuple[LevelCell, ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def label(self) -> str:
        """Name and version; what the version is of, where that is no part of the name."""
        of = next(iter(self.versions), "")
        if self.name.endswith(f"@{self.version}"):
            return self.name
        return f"{self.name} {self.version}".strip() if of in self.name else f"{self.name} ({of} {self.version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A finding of the matrix.

    Attributes:
        number: by which cells lead here.
        run: that it is of.
        place: its number there, by which `convcheck issue` and scripts name it.
        engine: its label.
        finding: all that is known of it, but for the numbers of the call that shows it.
    """

    number: int
    run: str
    place: int
    engine: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Engines × clauses.

    Attributes:
        level: the last that counts.
        clauses: ids, those of the most important level first.
        engines: the columns.
        findings: what the cells lead to.
        convcheck: versions that judged.
    """

    level: Level
    clauses: tuple[str, ...]
    engines: tuple[Engine, ...]
    findings: tuple[Entry, ...]
    convcheck: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[Engine, ...]:
        """The engines that ran."""
        return tuple(engine for engine in self.engines if not engine.unavailable)

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each column: that of the engine, with its run where two are alike."""
        plain = [engine.label for engine in self.engines]
        alike = Counter(plain)
        return tuple(
            f"{label} ({engine.run})" if alike[label] > 1 else label
            for label, engine in zip(plain, self.engines, strict=True)
        )

    @property
    def conforms(self) -> bool:
        """Whether some engine ran, all of those to the end, and none is wrong at a level that counts."""
        states = {cell.state for engine in self.judged for cell in engine.cells}
        states |= {cell.state for engine in self.judged for cell in engine.levels}
        ended = not any(engine.interrupted for engine in self.engines)
        return State.PASS in states and ended and states.isdisjoint(WRONG)
