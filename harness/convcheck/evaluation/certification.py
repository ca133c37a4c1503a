"""Certification: the whole harness put to wrong convolutions, which it has to detect, and to legal ones.

Every candidate meets the cases that `convcheck run` would give it, with the same oracles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count
from multiprocessing import get_context
from typing import Final, TypeAlias, TypeVar

from convcheck.defects import Defect
from convcheck.evaluation.baselines import BASELINES
from convcheck.evaluation.certificate import CONVCHECK, Certificate, Detection, FalseAlarmCheck
from convcheck.evaluation.on_top import OnTop
from convcheck.evaluation.variants import Variant, variant
from convcheck.execution import Candidate, InProcessCandidate, SubprocessCandidate
from convcheck.judging.drawn import drawn_cases
from convcheck.judging.judge import first_causes, judge_case
from convcheck.judging.long_history import judge_long_history
from convcheck.judging.parts import Part, parts_of
from convcheck.judging.search import search
from convcheck.judging.tally import Failure
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.origins import Origin
from convcheck.model.verdicts import Verdict
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.torch_bridge import absence
from convcheck_reference.selfcheck import self_check

Subject = TypeVar("Subject")
Result = TypeVar("Result")
Progress: TypeAlias = Callable[[str], None]
"""Called with the name of each defect or variant that is done."""

_LIMIT: Final = 5.0
"""Seconds after which a call of a defect that may hang counts as hung."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many cases each candidate meets.

    Attributes:
        examples: for a defect, unless it is detected before.
        variant_examples: for a variant.
        seed: of the generator.
        on: the legal variant on top of whose numerics defects are put; empty for the reference's.
    """

    examples: int = 2000
    variant_examples: int = 20_000
    seed: int = 0
    on: str = ""


def certify(
    defects: Sequence[Defect],
    variants: Sequence[Variant],
    budget: Budget,
    *,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> Certificate:
    """Put defects to the harness and to the baselines, and variants to the harness.

    Args:
        defects: with more than one worker, of the library.
        variants: likewise.
        budget: of cases.
        workers: judging processes.
        progress: called after each candidate.

    Raises:
        SelfCheckError: the two formulations of the reference disagree.
        UnavailableError: torch is not there, which a variant is made of, or which the baselines compare defects with.
    """
    _check_available(defects, variants, budget)
    self_check()
    detections: list[Detection] = []
    false_alarm_checks: list[FalseAlarmCheck] = []
    for found in in_order(partial(detect, budget=budget), defects, workers):
        detections += found
        progress(found[0].defect)
    for false_alarm_check in in_order(partial(check_for_false_alarms, budget=budget), variants, workers):
        false_alarm_checks.append(false_alarm_check)
        progress(false_alarm_check.variant)
    return Certificate(
        budget.examples, budget.variant_examples, budget.seed, tuple(detections), tuple(false_alarm_checks)
    )


def _check_available(defects: Sequence[Defect], variants: Sequence[Variant], budget: Budget) -> None:
    """What is missing shows before anything is judged."""
    if defects and not budget.on and (reason := absence("cpu")):
        raise UnavailableError(f"a comparison of defects with other methods {reason}; --on sequential makes none")
    for each in variants:
        try:
            each.backend()
        except UnavailableError as error:
            raise UnavailableError(f"the variant {each.name} {error}; --only has others") from error


def detect(defect: Defect, budget: Budget) -> tuple[Detection, ...]:
    """What the harness makes of one defect, and each baseline, where the numerics are the reference's."""
    return (_by_harness(defect, budget), *(() if budget.on else _by_baselines(defect, budget)))


def check_for_false_alarms(variant: Variant, budget: Budget) -> FalseAlarmCheck:
    """What the harness makes of one legal variant."""
    candidate = InProcessCandidate(variant.backend)
    judged = alarms = 0
    token = reason = ""

    def judge(case: Case) -> tuple[Verdict, ...]:
        nonlocal judged, alarms, token, reason
        judged += 1
        verdicts, _, _ = judge_case(candidate, case)
        causes = first_causes(verdicts)
        if causes and not alarms:
            token, reason = case.token, f"{causes[0].oracle} {causes[0].quantity}: {causes[0].reason}"
        alarms += bool(causes)
        return verdicts

    def alarm(failure: Failure) -> None:
        nonlocal alarms, token, reason
        if not alarms:
            token, reason = failure.case.token, failure.verdict.reason
        alarms += 1

    _run(judge, alarm, candidate, budget.variant_examples, budget.seed)
    return FalseAlarmCheck(variant.name, judged, alarms, token, reason)


class _DetectedError(Exception):
    """The first failing case of a defect."""


def _by_harness(defect: Defect, budget: Budget) -> Detection:
    candidate = _candidate(defect, budget.on)
    cases = count(1)
    found = Detection(defect.name, defect.category, CONVCHECK, None)

    def judge(case: Case) -> tuple[Verdict, ...]:
        nonlocal found
        number = next(cases)
        verdicts, _, _ = judge_case(candidate, case)
        causes = first_causes(verdicts)
        if causes:
            first = causes[0]
            found = replace(found, detected_at=number, oracle=first.oracle, clause=first.clauses[0], token=case.token)
            raise _DetectedError
        return verdicts

    def detected(failure: Failure) -> None:
        nonlocal found
        verdict, token = failure.verdict, failure.case.token
        found = replace(found, detected_at=next(cases), oracle=verdict.oracle, clause=verdict.clauses[0], token=token)
        raise _DetectedError

    try:
        with suppress(_DetectedError):
            _run(judge, detected, candidate, budget.examples, budget.seed)
    finally:
        candidate.close()
    return found


def _by_baselines(defect: Defect, budget: Budget) -> Iterator[Detection]:
    for baseline in BASELINES:
        # none of them has illegal or empty inputs, on which alone fatal defects end the process
        detected_at = baseline.detects(defect.backend(), budget.examples, budget.seed)
        yield Detection(defect.name, defect.category, baseline.name, detected_at)


def _candidate(defect: Defect, on: str) -> Candidate:
    if defect.fatal:
        return SubprocessCandidate(f"convcheck.defects:{defect.name}", _LIMIT)
    if on:
        engine = variant(on)
        return InProcessCandidate(lambda: OnTop(defect.backend(), engine.backend()))
    return InProcessCandidate(defect.backend)


def _run(
    judge: Callable[[Case], Sequence[Verdict]],
    of_history: Callable[[Failure], None],
    candidate: Candidate,
    examples: int,
    seed: int,
) -> None:
    """The cases of `convcheck run` for this candidate, which begins each part of it afresh, and its long history.

    Args:
        judge: called with each case.
        of_history: called with what fails in the long history, which counts as one case more.
        candidate: it is called.
        examples: number of cases.
        seed: of the generator.
    """
    # profiles decide no drawn case: candidates that differ in them only share their blocks
    shared = replace(candidate.capabilities, profiles={})
    for part in parts_of(examples):
        if part.origin is Origin.HISTORY:
            continue
        if part.origin is Origin.LONG_HISTORY:
            tally = judge_long_history(candidate, 0, run_seed=seed, number=part.number, size=part.size)
            for failure in tally.failures:
                of_history(failure)
            continue
        candidate.restart()
        if part.origin is Origin.SEARCHED:
            search(judge, candidate.capabilities, run_seed=seed, number=part.number, size=part.size)
        else:
            for case in _cases(shared, seed, part):
                judge(case)


@lru_cache(maxsize=256)
def _cases(capabilities: Capabilities, seed: int, part: Part) -> tuple[Case, ...]:
    return drawn_cases(part, capabilities, run_seed=seed)


def in_order(function: Callable[[Subject], Result], subjects: Iterable[Subject], workers: int) -> Iterator[Result]:
    """The results in the order of the subjects, as they come.

    Args:
        function: with more than one worker, one that travels to other processes, as its results do.
        subjects: likewise.
        workers: processes.
    """
    if workers == 1:
        yield from map(function, subjects)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(function, subjects)
