"""A finding in one sentence: "`grad_bias` is wrong iff batch > 1: behaves like a bias gradient from the first image
only. Try: convcheck replay …". Every report, the terminal, pytest and the errors of `convcheck.check` say it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from convcheck.model.levels import Level
from convcheck.model.record import Finding
from convcheck.model.verdicts import Status
from convcheck.report.replaying import replay_command
from convcheck.report.tables import Style, counted, one_line, worst

_RESULTS: Final = ("output", "grad_input", "grad_weight", "grad_bias", "gradients", "double_backward")

_WRONG: Final = {
    Level.COMPUTES: "is wrong",
    Level.IEEE: "is wrong on NaN, Inf or subnormals",
    Level.PRECISION: "is less precise than promised",
    Level.REFUSES: "is wrong",
    Level.STATE: "depends on more than its arguments",
}

_OTHERWISE: Final = {
    "inputs": "an input, or the memory around it, is touched",
    "memory": "memory is misused",
    "work": "the work is not the candidate's own",
    "module": "the module is wrong",
    "adjoint": "forward and backward do not belong together",
}
"""What is said where no one result is wrong."""

_OF_CALLS: Final = {
    Status.CRASHED: "a call ends its process",
    Status.HUNG: "a call does not return",
    Status.WRONGLY_ACCEPTED: "illegal arguments are accepted",
    Status.WRONGLY_REFUSED: "a legal call is refused",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """What there is to say about a finding.

    Attributes:
        name: of the result that is wrong, with which the sentence begins; empty where it is about no one result.
        said: the rest, in one line, without a full stop.
        advice: what to try: the command that repeats it; empty for none.
    """

    name: str
    said: str
    advice: str

    def statement(self, style: Style = "text") -> str:
        """The sentence without the advice."""
        subject = f"`{self.name}` " if self.name else ""
        return f"{subject}{one_line(self.said, style)}."

    def text(self, style: Style = "text") -> str:
        """The sentence with the advice, in one line."""
        return f"{self.statement(style)} Try: {one_line(self.advice, style)}" if self.advice else self.statement(style)


def sentence_of(finding: Finding) -> Sentence:
    """What is wrong, when, why as far as that is known, and what to try."""
    name, predicate = _what(finding)
    said = f"{predicate}{_when(finding)}: {_why(finding)}"
    return Sentence(name, one_line(said, "text").rstrip(".:"), one_line(_advice(finding), "text"))


def headline(finding: Finding) -> str:
    """What is wrong, and when as far as a rule says it: the title of a report of it."""
    name, predicate = _what(finding)
    subject = f"{name} " if name else ""
    condition = finding.diagnosis.failure_condition
    ruled = "" if condition is None else f" {condition.words}"
    when = " once and never again" if finding.seen_once else ruled
    return one_line(f"{subject}{predicate.removesuffix(',')}{when}", "text")


def finding_sentence(finding: Finding) -> str:
    """The same as one line of text."""
    return sentence_of(finding).text()


def _what(finding: Finding) -> tuple[str, str]:
    """The result that is wrong, if it is one, and the predicate."""
    quantity, status = finding.verdict.quantity, finding.status
    name = quantity if quantity in _RESULTS else ""
    if status is Status.UNEXPECTED_PASS:
        return name, "is right where it is known to fail" if name else "what is known to fail passes"
    if name:
        wrong = "is not written" if status is Status.UNWRITTEN else _WRONG[finding.level]
    else:
        wrong = _OF_CALLS.get(status) or _OTHERWISE.get(quantity, "a call is wrong")
    return name, f"{wrong}, as is known," if status is Status.KNOWN_FAILURE else wrong


def _when(finding: Finding) -> str:
    condition = finding.diagnosis.failure_condition
    if finding.seen_once:
        return " once and never again"
    if condition is None:
        # one that came up beside another has no cases of its own
        return f" in {counted(finding.failing_cases, 'case')}" if finding.failing_cases else ""
    return f" {condition.words}"


def _why(finding: Finding) -> str:
    found, verdict = finding.diagnosis, finding.verdict
    if finding.known:
        return finding.known
    if found.declaration:
        return "; ".join(filter(None, (verdict.reason, found.declaration)))
    if found.promise is not None:
        return f"every failure is explained by {found.promise.words}"
    if found.known_defects:
        return f"behaves like {found.known_defects[0].summary}"
    reason = verdict.reason.removeprefix(f"{verdict.quantity} ")  # which the sentence has begun with
    element = worst(verdict.evidence) if verdict.evidence and verdict.evidence.index else ""  # else the reason says it
    return "; ".join(filter(None, (reason or finding.clause, element)))


def _advice(finding: Finding) -> str:
    promise = finding.diagnosis.promise
    declare = f"declare {promise.declaration}, if that is what it promises; else " if promise is not None else ""
    slow = "`--limit` with more seconds, if it is only slow; else " if finding.status is Status.HUNG else ""
    return f"{slow}{declare}{replay_command(finding)}"
