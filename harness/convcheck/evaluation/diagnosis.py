"""How well the diagnosis works: defects of the library, found as any candidate's, with and without their entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from convcheck.defects import Defect
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import BLOCK, generate
from convcheck.judging.judge import judge_block
from convcheck.judging.parts import reached
from convcheck.judging.reaching import reach
from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.ladder import Ladder
from convcheck.model.profiles import QUANTITIES
from convcheck.model.record import Finding
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.oracles import PRECISION, RESULT
from convcheck.triage.diagnosis.breaking import attempts
from convcheck.triage.diagnosis.examine import drawn_label
from convcheck.triage.diagnosis.failure_condition import measured
from convcheck.triage.diagnosis.known_defect_match import reproduces
from convcheck.triage.diagnosis.mutations import variations
from convcheck.triage.diagnosis.samples import Conjunction, Samples
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.findings import HARMLESS, findings_of
from convcheck.triage.probe import Budget, Probe

ENOUGH: Final = 0.9
"""Precision and recall of a right failure condition."""

BREAKING: Final = 200
"""Cases drawn to break each rule that is said to hold exactly where the failure is."""

_OTHER_HAND: Final = 2026
_FRESH_BLOCK: Final = 1_000_000  # far from the blocks of any campaign
_FRESH: Final = 150
_BASES: Final = 8


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the diagnosis made of one defect.

    Attributes:
        defect: its name.
        category: what it gets wrong.
        withheld: whether its entry was withheld.
        failures: cases that failed; 0 if the defect was not detected.
        named: the known defect in first place, or one that is wrong; empty if none was claimed.
        right_name: its own name; where withheld, no name. Either way a defect's that no fresh case tells from it.
        findings: how many.
        legal: whether the first is about legal cases, of which alone rules speak.
        rule: the first failure condition; empty where none was learnt.
        precision: of that rule on fresh cases, by the defect's own results.
        recall: likewise.
        sure: how many findings say that it fails exactly where their rule holds.
        falsely_sure: in how many of these another lot of cases drawn to break the rule does.
    """

    defect: str
    category: str
    withheld: bool
    failures: int
    named: str = ""
    right_name: bool = False
    findings: int = 0
    legal: bool = True
    rule: str = ""
    precision: float = 0.0
    recall: float = 0.0
    sure: int = 0
    falsely_sure: int = 0

    @property
    def one_finding(self) -> bool:
        """Whether it is one finding, as it is one cause."""
        return self.findings == 1

    @property
    def right_rule(self) -> bool:
        """Whether the failure condition is right often enough."""
        return min(self.precision, self.recall) >= ENOUGH


@dataclass(frozen=True, slots=True)
class _Subject:
    """A defect in the place of a candidate: what a campaign found, and fresh cases that it did not run."""

    defect: Defect
    candidate: InProcessCandidate
    drawn: Sequence[Case]
    failures: Sequence[Failure]
    fresh: Sequence[Case]
    probe: Probe


def evaluate(
    defect: Defect, *, examples: int = BLOCK, seed: int = 0, defects: Sequence[Defect] = HARMLESS
) -> tuple[Evaluation, Evaluation]:
    """Diagnose a defect as if it were a candidate: with its entry in the library, and without.

    Args:
        defect: one that does not end its process.
        examples: drawn cases of the campaign, a block at most; those that reach far come on top.
        seed: of the campaign.
        defects: the library.
    """
    candidate = InProcessCandidate(defect.backend)
    far = reached(examples, Ladder.STANDARD)
    drawn = (
        *generate(candidate.capabilities, run_seed=seed, block=0, size=examples),
        *reach(candidate.capabilities, run_seed=seed, first=0, size=far, ladder=Ladder.STANDARD),
    )
    failures = judge_block(candidate, drawn, 0).failures
    fresh = _fresh(candidate, failures, seed)
    subject = _Subject(
        defect, candidate, drawn, failures, fresh, Probe(InProcessCandidate(defect.backend), budget=Budget(10**9))
    )
    others = [d for d in defects if d.name != defect.name]
    return _evaluated(subject, defects, withheld=False), _evaluated(subject, others, withheld=True)


def _evaluated(subject: _Subject, library: Sequence[Defect], *, withheld: bool) -> Evaluation:
    failures, own = subject.failures, subject.defect.name
    found = findings_of(subject.candidate, failures, lambda _: subject.drawn, defects=library)
    if not found:
        return Evaluation(own, subject.defect.category, withheld, len(failures))
    matches = [f.diagnosis.known_defects for f in found]
    named = [match[0].name if match else "" for match in matches]
    by_name = {d.name: d for d in library}
    wrong = [
        name
        for name, finding in zip(named, found, strict=True)
        if name not in ("", own) and not _alike(subject, finding, by_name[name])
    ]
    condition = found[0].diagnosis.failure_condition
    labels = (
        [] if condition is None else _labels(_probe(subject, found[0]), _signature(found[0], failures), subject.fresh)
    )
    score = None if condition is None else measured(condition.rule, labels)
    return Evaluation(
        own,
        subject.defect.category,
        withheld,
        len(failures),
        named=next(iter(wrong), named[0]),
        right_name=not wrong and (withheld or named[0] != ""),
        findings=len(found),
        legal=read(found[0].reproduction.first_failing_case).violation is None,
        rule="" if condition is None else str(condition.rule),
        precision=0.0 if score is None else score.precision,
        recall=0.0 if score is None else score.recall,
        sure=sum(_is_sure(finding) for finding in found),
        falsely_sure=sum(_is_sure(finding) and _broken(subject, finding) for finding in found),
    )


def _is_sure(finding: Finding) -> bool:
    condition = finding.diagnosis.failure_condition
    return condition is not None and condition.exact


def _broken(subject: _Subject, finding: Finding) -> bool:
    """Whether cases drawn to break the rule of a finding do, drawn by another hand than the rule was tested by.

    A case that passes inside the rule does not where the defect's own region holds, too: all that it reads wrongly has
    the right value by accident, as in an image of one column that is replicated.
    """
    condition = finding.diagnosis.failure_condition
    if condition is None:
        return False
    rule = Conjunction(tuple(sorted(condition.rule.conditions)))
    known = [read(finding.reproduction.token), *(f.case for f in subject.failures if f.case.violation is None)]
    drawn = attempts(rule, known, Samples(), np.random.default_rng(_OTHER_HAND))[:BREAKING]
    labels = _labels(_probe(subject, finding), _signature(finding, subject.failures), drawn)
    by_accident = subject.defect.region
    return any(
        fails if not rule.holds(case) else not fails and not by_accident.holds(facts(case)) for case, fails in labels
    )


def _signature(finding: Finding, failures: Sequence[Failure]) -> FailureSignature:
    """The signature of a finding, as that of the failure that it was found in."""
    case, quantity = read(finding.reproduction.first_failing_case), finding.verdict.quantity
    verdicts = [f.verdict for f in failures if f.case == case and f.verdict.quantity == quantity]
    return FailureSignature.of(verdicts[0])


def _probe(subject: _Subject, finding: Finding) -> Probe:
    return subject.probe.restarting() if finding.reproduction.state_dependent else subject.probe


def _labels(probe: Probe, signature: FailureSignature, cases: Sequence[Case]) -> list[tuple[Case, bool]]:
    """Whether cases fail, on any of some data: a rule speaks of parameters, not of values."""
    labels = [(case, drawn_label(probe, signature, case)) for case in cases]
    return [(case, label) for case, label in labels if label is not None]


def _alike(subject: _Subject, finding: Finding, other: Defect) -> bool:
    """Whether another defect gives the same results in fresh cases, every one: then its name is not wrong."""
    signature, probe = _signature(finding, subject.failures), _probe(subject, finding)
    signatures = [signature]
    if signature.kind in (RESULT, PRECISION):
        signatures = [replace(signature, quantity=quantity) for quantity in QUANTITIES]
    return all(reproduces(probe, one, case, other) for one in signatures for case in subject.fresh)


def _fresh(candidate: InProcessCandidate, failures: Sequence[Failure], seed: int) -> list[Case]:
    """Cases that were not learnt from: of another block, and around failing ones, where rules matter."""
    rng = np.random.default_rng(seed + _FRESH_BLOCK)
    drawn = generate(candidate.capabilities, run_seed=seed, block=_FRESH_BLOCK, size=_FRESH)
    failing = [f.case for f in failures if f.case.violation is None][:: max(1, len(failures) // _BASES)]
    around = [case for base in failing for case in islice(variations(base, rng, 4), _FRESH // max(1, len(failing)))]
    return [case for case in (*drawn, *around) if case.violation is None]
