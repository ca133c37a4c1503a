"""How well the diagnosis works: defects of the library, found as any candidate's, with and without their entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from convcheck.case import Case
from convcheck.defects import Defect
from convcheck.diagnosis.lookalike import reproduces
from convcheck.diagnosis.neighbourhood import variations
from convcheck.diagnosis.trigger import measured
from convcheck.execution import Host
from convcheck.execution.judging import Failure, judge_block
from convcheck.findings.bench import Bench
from convcheck.findings.collect import HARMLESS, collect
from convcheck.findings.symptom import Symptom
from convcheck.record import Finding
from convcheck.strategies import generate
from convcheck.token import read

ENOUGH: Final = 0.9
"""Precision and recall of a right trigger."""

_FRESH_BLOCK: Final = 1_000_000  # far from the blocks of any campaign
_FRESH: Final = 150
_NEAR: Final = 8


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the diagnosis made of one defect.

    Attributes:
        defect: its name.
        withheld: whether its entry was withheld.
        failures: cases that failed; 0 if the defect was not detected.
        named: the lookalike in first place; empty if none was claimed.
        right_name: its own name; where withheld, no name, or that of a defect that fresh cases do not tell apart.
        findings: how many.
        rule: the first trigger; empty where none was learnt.
        precision: of that trigger on fresh cases, by the defect's own results.
        recall: likewise.
    """

    defect: str
    withheld: bool
    failures: int
    named: str = ""
    right_name: bool = False
    findings: int = 0
    rule: str = ""
    precision: float = 0.0
    recall: float = 0.0

    @property
    def right_rule(self) -> bool:
        """Whether the trigger is right often enough."""
        return min(self.precision, self.recall) >= ENOUGH


def evaluate(
    defect: Defect, *, withheld: bool, examples: int = 300, seed: int = 0, defects: Sequence[Defect] = HARMLESS
) -> Evaluation:
    """Diagnose a defect as if it were a candidate.

    Args:
        defect: one that does not end its process.
        withheld: whether the library lacks it.
        examples: cases of the campaign.
        seed: of the campaign.
        defects: the library.
    """
    candidate = Host(defect.backend)
    drawn = generate(candidate.capabilities, run_seed=seed, block=0, size=examples)
    failures = judge_block(candidate, drawn, 0).failures
    library = [d for d in defects if not (withheld and d.name == defect.name)]
    found = collect(candidate, failures, lambda _: drawn, defects=library)
    if not found:
        return Evaluation(defect.name, withheld, len(failures))
    named = [f.lookalikes[0].name if f.lookalikes else "" for f in found]
    fresh = _fresh(candidate, failures, seed)
    trigger = found[0].trigger
    symptom = _symptom(found[0], failures)
    bench = Bench(Host(defect.backend), most=10**9)
    labels = [(case, label) for case in fresh if (label := bench.label(case, symptom)) is not None]
    score = None if trigger is None else measured(trigger.rule, labels)
    by_name = {d.name: d for d in library}
    return Evaluation(
        defect.name,
        withheld,
        len(failures),
        named=named[0],
        right_name=named[0] == defect.name
        if not withheld
        else all(
            not n or _alike(bench, _symptom(f, failures), by_name[n], fresh) for n, f in zip(named, found, strict=True)
        ),
        findings=len(found),
        rule="" if trigger is None else str(trigger.rule),
        precision=0.0 if score is None else score.precision,
        recall=0.0 if score is None else score.recall,
    )


def _symptom(finding: Finding, failures: Sequence[Failure]) -> Symptom:
    """The symptom of a finding, as that of the failure that it was found as."""
    case = read(finding.found_as)
    verdicts = [f.verdict for f in failures if f.case == case and f.verdict.quantity == finding.quantity]
    return Symptom.of(verdicts[0])


def _alike(bench: Bench, symptom: Symptom, other: Defect, fresh: Sequence[Case]) -> bool:
    """Whether another defect gives the same results in fresh cases: then its name is not wrong."""
    return all(reproduces(bench, symptom, case, other) for case in fresh)


def _fresh(candidate: Host, failures: Sequence[Failure], seed: int) -> list[Case]:
    """Cases that were not learnt from: of another block, and around failing ones, where rules matter."""
    rng = np.random.default_rng(seed + _FRESH_BLOCK)
    drawn = generate(candidate.capabilities, run_seed=seed, block=_FRESH_BLOCK, size=_FRESH)
    failing = [f.case for f in failures if f.case.violation is None][:: max(1, len(failures) // _NEAR)]
    around = [case for base in failing for case in islice(variations(base, rng, 4), _FRESH // max(1, len(failing)))]
    return [case for case in (*drawn, *around) if case.violation is None and case.entry == "function"]
