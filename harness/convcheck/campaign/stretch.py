"""What some cases of a part of a run came to, as plain data that a line of the journal holds: a tally, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convcheck.judging.tally import Failure, Tally
from convcheck.model.case import Case
from convcheck.model.history import read_history, write
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.passes import Pass
from convcheck.model.reach import Reach
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, Status, Verdict
from convcheck.numerics.precision import Ratios

Answer = tuple[bool, tuple[tuple[str, float], ...]]
"""What a search is steered by: whether a case fails, and the largest margin by quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLine:
    """A failure, but for its part.

    Attributes:
        position: of the case in the part.
        case: its token.
        verdict: on it.
        origin: how it came about.
        history: as a line; empty for none.
    """

    position: int
    case: str
    verdict: Verdict
    origin: Origin
    history: str = ""

    @classmethod
    def of(cls, failure: Failure) -> FailureLine:
        """The line of a failure."""
        return cls(
            position=failure.position,
            case=failure.case.token,
            verdict=failure.verdict,
            origin=failure.origin,
            history=write(failure.history or ()),
        )

    def failure(self, part: int) -> Failure:
        """The failure of a part."""
        history = read_history(self.history) if self.history else None
        case = history[-1].case if history else read(self.case)
        return Failure(part, self.position, case, self.verdict, self.origin, history)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Cases of a part that were judged one after the other, and what they came to.

    Attributes:
        part: its index.
        attempt: at judging the part, by a number that no other has: a process that was lost may have had a part that
            another judged anew.
        first: how many cases of the part come before these.
        cases: as tokens; none where the part is of histories.
        answers: of a searched part, what steers the search, for each case.
        failures: what failed.
        origins: see `Tally`, as the rest.
    """

    part: int
    attempt: str
    first: int
    cases: tuple[str, ...]
    answers: tuple[Answer, ...]
    failures: tuple[FailureLine, ...]
    origins: Mapping[Origin, int]
    counts: tuple[tuple[str, Status, str, int], ...]
    levels: tuple[tuple[Level, str, int], ...]
    right: tuple[tuple[str, str, Pass, int], ...] = ()
    wrong: tuple[tuple[str, str, Pass, int], ...] = ()
    margins: Mapping[str, float]
    coverage: tuple[tuple[str, str, int], ...]
    classes: tuple[tuple[int, ...], ...]
    reached: tuple[tuple[str, int, tuple[int, ...]], ...]
    calls: Mapping[str, int]
    precision_samples: tuple[Ratios, ...]
    seconds: Mapping[str, float]

    @classmethod
    def of(
        cls,
        part: int,
        tally: Tally,
        cases: Sequence[Case] = (),
        answers: Sequence[Answer] = (),
        *,
        attempt: str = "",
        first: int = 0,
    ) -> Stretch:
        """The stretch of a tally."""
        return cls(
            part=part,
            attempt=attempt,
            first=first,
            cases=tuple(case.token for case in cases),
            answers=tuple(answers),
            failures=tuple(map(FailureLine.of, tally.failures)),
            origins=dict(tally.origins),
            counts=tuple((*key, cases) for key, cases in tally.counts.items()),
            levels=tuple((*key, cases) for key, cases in tally.levels.items()),
            right=tuple((*key, cases) for key, cases in tally.right.items()),
            wrong=tuple((*key, cases) for key, cases in tally.wrong.items()),
            margins=tally.margins,
            coverage=tuple((*key, cases) for key, cases in tally.coverage.items()),
            classes=tuple(tally.classes),
            reached=tuple((n, tally.reach.largest[n], tuple(sorted(c))) for n, c in tally.reach.crossed.items()),
            calls=dict(tally.calls),
            precision_samples=tuple(tally.precision_samples),
            seconds=dict(tally.seconds),
        )

    def tally(self) -> Tally:
        """What the cases came to."""
        found = Tally(
            cases=len(self.cases),
            origins=Counter(self.origins),
            counts=Counter({(clause, status, reason): n for clause, status, reason, n in self.counts}),
            levels=Counter({(level, kind): n for level, kind, n in self.levels}),
            right=Counter({(clause, dtype, of_pass): n for clause, dtype, of_pass, n in self.right}),
            wrong=Counter({(clause, dtype, of_pass): n for clause, dtype, of_pass, n in self.wrong}),
            margins=dict(self.margins),
            failures=[line.failure(self.part) for line in self.failures],
            coverage=Counter({(parameter, value): n for parameter, value, n in self.coverage}),
            classes=list(self.classes),
            reach=Reach({n: most for n, most, _ in self.reached}, {n: set(crossed) for n, _, crossed in self.reached}),
            calls=Counter(self.calls),
            precision_samples=list(self.precision_samples),
        )
        found.seconds.update(self.seconds)
        return found


def answer(verdicts: Sequence[Verdict]) -> Answer:
    """What a search is steered by of the verdicts on a case."""
    margins: dict[str, float] = {}
    for verdict in verdicts:
        if verdict.margin is not None:
            margins[verdict.quantity] = max(verdict.margin, margins.get(verdict.quantity, 0.0))
    return any(verdict.status in FAILURES for verdict in verdicts), tuple(margins.items())


def verdicts_of(given: Answer) -> tuple[Verdict, ...]:
    """Verdicts that steer a search as those did that were answered so."""
    failing, margins = given
    status = Status.FAIL if failing else Status.PASS
    return (
        Verdict("journal", "", status, ()),
        *(Verdict("journal", quantity, status, (), margin=margin) for quantity, margin in margins),
    )
