"""The journal of a run: what was judged, line by line as it is judged, so that nothing that ends a process loses it.

Every process that judges appends to the one file, a line in one piece, at most `BEHIND` seconds after the case. A line
that was cut off, by a kill or a full disk, is the last of its process, is no JSON, and is passed over: those of others
begin on a line of their own.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import uuid4

from convcheck.campaign.errors import JournalError
from convcheck.campaign.options import Options
from convcheck.campaign.stretch import Answer, FailureLine, Stretch, answer
from convcheck.judging.tally import Tally
from convcheck.model.case import Case
from convcheck.model.coverage import Coverage
from convcheck.model.levels import LevelCount
from convcheck.model.origins import Origin
from convcheck.model.passes import PassCount
from convcheck.model.reach import ReachCount
from convcheck.model.record import BackendRecord, Count, Finding
from convcheck.model.verdicts import Verdict

SCHEMA: Final = 1
"""Version of the lines; raised when a reader of the old lines would misread the new ones."""

JOURNAL: Final = "journal.jsonl"

BEHIND: Final = 0.5
"""Seconds that the journal may be behind: a line a case would cost as much as a small case."""


_SAFE: Final = "what was judged until now is in it, and `convcheck resume` goes on from there"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A run that has begun.

    Attributes:
        schema: of the lines.
        name: of the run.
        command: that repeats it.
        started: ISO 8601 time, UTC.
        version: of convcheck.
        options: what it does.
    """

    schema: int
    name: str
    command: str
    started: str
    version: str
    options: Options


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A backend that is going to be judged.

    Attributes:
        at: its place among the backends.
        spec: what loads it in any process.
        source: a digest of the file that it comes from; empty where it does not come from a file.
        remembered: what failed in earlier runs.
    """

    at: int
    spec: str
    source: str = ""
    remembered: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Cases of a backend that were judged."""

    at: int
    stretch: Stretch


@dataclass(frozen=True, kw_only=True)
class PartDone:
    """A part of a backend that was judged to its end.

    Attributes:
        at: the place of the backend.
        part: its index.
        attempt: that came to its end.
        failures: all of the part, as looked at once more.
        seconds: that its cases did not take.
    """

    at: int
    part: int
    attempt: str
    failures: tuple[FailureLine, ...]
    seconds: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of one backend, causes included."""

    at: int
    backend: BackendRecord
    counts: tuple[Count, ...] = ()
    levels: tuple[LevelCount, ...] = ()
    passes: tuple[PassCount, ...] = ()
    findings: tuple[Finding, ...] = ()
    reached: tuple[ReachCount, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    interactions: tuple[Coverage, ...] = ()


Line: TypeAlias = Begun | Opened | Cases | PartDone | Judged

KINDS: Final[dict[str, type[Line]]] = {
    "run": Begun,
    "backend": Opened,
    "cases": Cases,
    "part": PartDone,
    "judged": Judged,
}
WriteLine: TypeAlias = Callable[[Line], None]
"""Takes a line to where it is kept."""

_NAMES: Final = {of_type: kind for kind, of_type in KINDS.items()}


def append(journal: Path, line: Line) -> None:
    """Append a line.

    Raises:
        JournalError: it cannot be written as a whole.
    """
    append_text(journal, text_of(line))


def text_of(line: Line) -> str:
    """A line as it stands in the file."""
    return json.dumps(
        {"kind": _NAMES[type(line)], **_plain(line)}, ensure_ascii=False, default=_plain, separators=(",", ":")
    )


def _plain(line: Any) -> dict[str, Any]:
    """The fields of a dataclass; `dataclasses.asdict` would copy all that is below it first."""
    return {each.name: getattr(line, each.name) for each in fields(line)}


def append_text(journal: Path, line: str) -> None:
    """Append the text of a line.

    Raises:
        JournalError: it cannot be written as a whole.
    """
    text = f"\n{line}\n".encode("utf-8", "backslashreplace")
    try:
        descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(descriptor, text)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise JournalError(f"{journal} cannot be written: {error.strerror or error}; {_SAFE}") from error
    if written < len(text):
        raise JournalError(f"{journal} cannot be written: no room is left; {_SAFE}")


@dataclass(slots=True)
class Keeping:
    """Keeps what is judged of one part, and says when to stop.

    Attributes:
        write_line: takes the lines; None to keep nothing.
        at: the place of the backend.
        part: its index.
        first: how many cases of the part were kept before.
        origin: how its cases come about.
        stopped: whether no further case is wanted.
        clock: seconds.
    """

    write_line: WriteLine | None
    at: int
    part: int
    first: int
    origin: Origin
    stopped: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    _cases: list[Case] = field(default_factory=list)
    _answers: list[Answer] = field(default_factory=list)
    _tally: Tally = field(default_factory=Tally)
    _kept: float = field(init=False)
    _attempt: str = field(init=False)

    def __post_init__(self) -> None:
        self._kept = self.clock()
        self._attempt = uuid4().hex[:12]

    def __call__(self, case: Case | None, verdicts: Sequence[Verdict], tally: Tally) -> None:
        """Hear of a case that was judged.

        Raises:
            KeyboardInterrupt: no further case is wanted.
            JournalError: what was heard cannot be kept.
        """
        self.add(tally, case, verdicts)
        if self.stopped():
            raise KeyboardInterrupt

    def add(self, tally: Tally, case: Case | None = None, verdicts: Sequence[Verdict] = ()) -> None:
        """Add what was judged, and write it if some time has passed.

        Raises:
            JournalError: it cannot be kept.
        """
        self._cases += [] if case is None else [case]
        self._answers += [answer(verdicts)] if self.origin is Origin.SEARCHED else []
        self._tally.add(tally)
        if self.clock() - self._kept >= BEHIND:
            self.write()

    def write(self) -> None:
        """Write what was heard since the last line."""
        if self.write_line is not None and self._tally.origins:
            stretch = Stretch.of(
                self.part, self._tally, self._cases, self._answers, attempt=self._attempt, first=self.first
            )
            self.write_line(Cases(at=self.at, stretch=stretch))
        self.first += len(self._cases)
        self._kept = self.clock()
        self._tally = Tally()
        self._cases.clear()
        self._answers.clear()

    def end(self, tally: Tally, seconds: dict[str, float]) -> None:
        """Write that the part is done.

        Args:
            tally: of the whole part.
            seconds: that its cases did not take.
        """
        self.write()
        if self.write_line is not None:
            failures = tuple(map(FailureLine.of, tally.failures))
            self.write_line(
                PartDone(at=self.at, part=self.part, attempt=self._attempt, failures=failures, seconds=seconds)
            )
