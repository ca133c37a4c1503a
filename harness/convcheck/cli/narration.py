"""What a run says while it goes on, on standard error: what it does, and what is wrong as soon as it is seen.

A terminal has bars, and findings above them. A log has a line for each finding, and every few seconds one that says how
far the run is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from convcheck.cli.output import complain
from convcheck.model.record import Finding
from convcheck.model.stages import Stage
from convcheck.report.sentence import finding_sentence
from convcheck.report.tables import printable

EVERY: Final = 5.0
"""Seconds between two lines of a log."""

MOST_AS_THEY_COME: Final = 8
"""Kinds of failures of a backend that are told before their causes are looked for: who is wrong everywhere has many."""


class Narration(Protocol):
    """Told what happens."""

    def advance(self, spec: str, cases: int, state: str) -> None:
        """So many cases of a backend are done."""
        ...

    def say(self, line: str) -> None:
        """Something that is not overwritten."""
        ...


@contextmanager
def narrating(specs: Sequence[str], total: int | None) -> Iterator[Narration]:
    """Within, a run is told of.

    Args:
        specs: of its backends.
        total: cases of each; None where nobody knows.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        with _progress(console) as progress:
            yield _Bars(progress, specs, total)
    else:
        lines = Lines(complain, time.monotonic)
        with _every(EVERY, lines.beat):
            yield lines


class Telling:
    """Says what is wrong in a sentence: a failure as it came, with its smallest case, and the cause once it is known.

    Args:
        say: takes a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._as_they_come: Counter[str] = Counter()

    def __call__(self, stage: Stage, finding: Finding) -> None:
        """Tell of one."""
        if stage is not Stage.SEEN:
            self._say(f"{stage}: {self._sentence(finding)}")
            return
        self._as_they_come[finding.backend] += 1
        number = self._as_they_come[finding.backend]
        if number <= MOST_AS_THEY_COME:
            self._say(f"seen: {self._sentence(finding)}")
        elif number == MOST_AS_THEY_COME + 1:
            self._say(f"{finding.backend} fails in further ways; the report has them")

    @staticmethod
    def _sentence(finding: Finding) -> str:
        return f"{finding.backend}: {finding_sentence(finding)}"


class Lines:
    """A log: nothing in it is overwritten.

    Args:
        write: takes a line.
        clock: in seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write, self._clock, self._begun = write, clock, clock()
        self._state = "loading the backends"

    def advance(self, spec: str, _cases: int, state: str) -> None:
        """The next line says so."""
        self._state = f"{spec}: {state}"

    def say(self, line: str) -> None:
        """A line now."""
        minutes, seconds = divmod(int(self._clock() - self._begun), 60)
        self._write(f"[{minutes}:{seconds:02}] {line}")

    def beat(self) -> None:
        """The line that comes every few seconds."""
        self.say(self._state)


class _Bars:
    """A terminal: a bar for each backend, below what was said."""

    def __init__(self, progress: Progress, specs: Sequence[str], total: int | None) -> None:
        self._progress = progress
        self._tasks = {s: progress.add_task(printable(s), total=total, state="loading", start=False) for s in specs}

    def advance(self, spec: str, cases: int, state: str) -> None:
        self._progress.start_task(self._tasks[spec])
        self._progress.update(self._tasks[spec], completed=cases, state=state)

    def say(self, line: str) -> None:
        self._progress.console.print(printable(line), markup=False, highlight=False)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(), console=console,
    )  # fmt: skip


@contextmanager
def _every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Within, something is done every so many seconds."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(seconds):
            act()

    thread = Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
