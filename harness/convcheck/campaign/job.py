"""A job: one backend of a campaign, any part of which can be judged in any process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from convcheck.campaign.journal import Keeping, WriteLine, append
from convcheck.campaign.known_failures import Known
from convcheck.campaign.options import Options
from convcheck.campaign.past import NOTHING, PastPart
from convcheck.campaign.sanitizing import judge_share
from convcheck.campaign.stretch import Answer, verdicts_of
from convcheck.execution import Candidate, WorkerStartError, open_candidate
from convcheck.judging.blocks import BLOCK
from convcheck.judging.drawn import drawn_cases
from convcheck.judging.histories import judge_histories
from convcheck.judging.judge import Judge
from convcheck.judging.long_history import judge_long_history
from convcheck.judging.own_cases import tried_alone
from convcheck.judging.parts import SANITIZED, Part, part_at
from convcheck.judging.remembered import judge_remembered, remembered_cases
from convcheck.judging.sanitizing import chosen
from convcheck.judging.search import search
from convcheck.judging.tally import Tally
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.origins import Origin
from convcheck.model.record_lines import RecordError
from convcheck.model.token import read
from convcheck.model.verdicts import Verdict
from convcheck.oracles import applicable
from convcheck.plugin.accelerator import DeviceLostError

GONE: Final = (WorkerStartError, DeviceLostError)
"""Errors after which a candidate cannot be called any more."""


class CutShortError(Exception):
    """A part ended before its time: what the cases came to that were judged.

    Args:
        tally: of these.
        ended_by: an interrupt, or that the candidate could not be called any more.
    """

    def __init__(self, tally: Tally, ended_by: BaseException) -> None:
        super().__init__(tally, ended_by)
        self.tally = tally
        self.ended_by = ended_by


_OF_CASES: Final = frozenset({Origin.GIVEN, Origin.REMEMBERED, Origin.DRAWN, Origin.REACH, Origin.SEARCHED})


def never() -> bool:
    """Whether no further case is wanted: nobody asks for that."""
    return False


@dataclass(frozen=True)
class Job:
    """One backend of a campaign: makes and judges any part of it; plain data, so that it travels to any process.

    Attributes:
        spec: the backend, as any process can load it.
        options: of the campaign.
        remembered: the cases that failed in earlier runs, as tokens, and the histories, as lines.
        at: the place of the backend among those of the campaign.
        journal: where what is judged is kept; None for nowhere.
    """

    spec: str
    options: Options
    remembered: tuple[str, ...] = ()
    at: int = 0
    journal: Path | None = None

    def part(self, index: int) -> Part | None:
        """A part of the run; None after the last."""
        sanitized = self.options.sanitize is not None
        return part_at(
            index,
            self.options.examples,
            len(self.remembered),
            given=len(self.options.given),
            sanitized=sanitized,
            ladder=self.options.reach,
        )

    @property
    def size(self) -> int | None:
        """Number of its cases, without histories; None for no end."""
        if self.options.examples is None:
            return None
        parts = iter(self.part(index) for index in count())
        return sum(part.size for part in iter(lambda: next(parts), None) if part.origin in _OF_CASES)

    def open(self) -> Candidate:
        """The candidate; the caller closes it. Raises what `open_candidate` raises."""
        options = self.options
        candidate = open_candidate(
            self.spec,
            limit=options.limit,
            start_limit=options.start_limit,
            memory=options.memory,
            in_process=options.in_process,
            untrusted=options.untrusted,
            hidden=() if self.journal is None else (self.journal.parent,),
        )
        return Known(options.known).skipping(candidate)

    def judge(
        self,
        candidate: Candidate,
        index: int,
        past: PastPart = NOTHING,
        stopped: Callable[[], bool] = never,
        write_line: WriteLine | None = None,
    ) -> Tally:
        """The tally of one part, by a fresh candidate: what it keeps of one part cannot show in another.

        Args:
            candidate: it is restarted.
            index: of the part.
            past: what was judged of it before, and is not judged again.
            stopped: asked after each case, whether no further one is wanted.
            write_line: takes what is judged to the journal; by default it is written there.

        Raises:
            CutShortError: it said so, an interrupt ended a case, or the candidate cannot be called any more.
            JournalError: what is judged cannot be kept.
        """
        part = self.part(index)
        assert part is not None
        if past.done:
            return past.tally
        if write_line is None and self.journal is not None:
            write_line = partial(append, self.journal)
        keeping = Keeping(write_line, self.at, index, len(past.cases), part.origin, stopped)
        if part.origin in (Origin.HISTORY, Origin.LONG_HISTORY, Origin.SANITIZED):
            try:
                tally = self._whole(candidate, index, part)
            except (KeyboardInterrupt, *GONE) as error:
                raise CutShortError(Tally(), error) from error
            keeping.add(tally)
            keeping.end(tally, {})
            return tally
        judge = Judge(
            candidate,
            index,
            self.options.clause or None,
            part.origin,
            heard=keeping,
            past=past.tally,
            past_cases=past.cases,
        )
        start, before = time.perf_counter(), sum(judge.tally.seconds.values())
        try:
            candidate.restart()
            self._judge_cases(judge, part, index, past)
            judge.tally.failures = list(tried_alone(candidate, judge.tally.failures, self.options.clause or None))
        except (KeyboardInterrupt, *GONE) as error:
            keeping.write()
            raise CutShortError(judge.tally, error) from error
        seconds = judge.tally.seconds
        generation = time.perf_counter() - start - (sum(seconds.values()) - before)
        seconds["generation"] += generation
        keeping.end(judge.tally, {"generation": generation})
        return judge.tally

    def cases(self, capabilities: Capabilities, index: int) -> tuple[Case, ...]:
        """The cases of a part that has any, and is not searched."""
        part = self.part(index)
        assert part is not None
        if part.origin is Origin.GIVEN:
            return tuple(map(read, self.options.given[part.number : part.number + part.size]))
        if part.origin is Origin.REMEMBERED:
            return remembered_cases(self.remembered)
        if part.origin is Origin.SANITIZED:
            size = min(BLOCK, SANITIZED * part.size)
            drawn = self._drawn(capabilities, Part(Origin.DRAWN, part.number * BLOCK, size))
            return chosen(drawn, capabilities, part.size)
        return self._drawn(capabilities, part)

    def _judge_cases(self, judge: Judge, part: Part, index: int, past: PastPart) -> None:
        if part.origin is Origin.SEARCHED:
            search(
                _replaying(judge, past.cases, past.answers),
                judge.candidate.capabilities,
                self.options.dtypes or None,
                run_seed=self.options.seed,
                number=part.number,
                size=part.size,
            )
        elif part.origin is Origin.REMEMBERED:
            judge_remembered(judge, self.remembered, index)
        else:
            for case in self.cases(judge.candidate.capabilities, index)[len(past.cases) :]:
                # of a case that somebody names everything is asked, what is due seldom too
                judge(case, applicable(case) if part.origin is Origin.GIVEN else None)

    def _whole(self, candidate: Candidate, index: int, part: Part) -> Tally:
        options = self.options
        if part.origin is Origin.SANITIZED:
            return judge_share(self.spec, options, self.cases(candidate.capabilities, index), index)
        judge = judge_long_history
        if part.origin is Origin.HISTORY:
            judge = partial(judge_histories, most_calls=options.diagnosis_calls)
        return judge(
            candidate,
            index,
            run_seed=options.seed,
            number=part.number,
            size=part.size,
            clause=options.clause or None,
            dtypes=options.dtypes or None,
            excluded=Known(options.known).covers,
        )

    def _drawn(self, capabilities: Capabilities, part: Part) -> tuple[Case, ...]:
        options = self.options
        return drawn_cases(part, capabilities, options.dtypes or None, run_seed=options.seed, ladder=options.reach)


def _replaying(judge: Judge, cases: Sequence[Case], answers: Sequence[Answer]) -> Callable[[Case], Sequence[Verdict]]:
    """Judges the cases of a search, whose first were judged before: it goes the same way to where it was.

    Raises:
        RecordError: by the search, it goes another way.
    """
    known = iter(zip(cases, answers, strict=True))

    def judged(case: Case) -> Sequence[Verdict]:
        before = next(known, None)
        if before is None:
            return judge(case)
        if before[0] != case:
            raise RecordError(
                f"the search came to {case.token} where it came to {before[0].token} before: the backend, or the "
                "installed Hypothesis, is not the one that the run was begun with; begin a new run"
            )
        return verdicts_of(before[1])

    return judged
