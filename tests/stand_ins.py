"""Stand-ins for what a campaign leaves behind: verdicts, failures and causes, and candidates that are counted."""

from convcheck import Status, Verdict
from convcheck.execution import InProcessCandidate
from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.diagnosis import Diagnosis, FailureCondition
from convcheck.model.rules import Rule
from convcheck.model.token import read
from convcheck.oracles import PRECISION, RESULT
from convcheck.triage.causes import ATTEMPTS, Cause, SmallestCase
from convcheck.triage.diagnosis.examine import Examination
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe

OUTPUT, IMPRECISE = FailureSignature(RESULT, "output"), FailureSignature(PRECISION, "output")
GRAD_INPUT, GRAD_WEIGHT = FailureSignature(RESULT, "grad_input"), FailureSignature(RESULT, "grad_weight")
REFUSED, CRASHED = FailureSignature(str(Status.WRONGLY_REFUSED), "call"), FailureSignature(str(Status.CRASHED), "call")
TOKENS = [f"v1,x=1x4x5x{width},out=4,k=1,s=1x2,g=2" for width in (5, 6, 7, 8)]
"""Grouped layers with a stride."""


class Counted(InProcessCandidate):
    """A candidate whose calls and restarts are counted."""

    def __init__(self, make):
        self.calls, self.restarts = 0, -1  # to be made is no restart
        super().__init__(make)

    def call(self, call):
        self.calls += 1
        return super().call(call)

    def restart(self):
        self.restarts += 1
        super().restart()


def probe_of(make, **options):
    """A probe of a counted candidate."""
    return Probe(Counted(make), **options)


def verdict(oracle="exact", quantity="output", status=Status.FAIL, clauses=("C2D-ARITH-1",), **others):
    """A verdict, a failing one by default."""
    return Verdict(oracle, quantity, status, clauses, **others)


def verdict_like(signature):
    """A verdict that has a signature, of those that `cause` is made for."""
    if signature.quantity == "call":
        return verdict("parity", "call", Status(signature.kind))
    named = {RESULT: "gradients-exact" if signature.backward else "exact", PRECISION: "bounded"}
    return verdict(named.get(signature.kind, signature.kind), signature.quantity)


def failure(of=TOKENS[0], found=None, block=0, position=0):
    """A failure of a case, or of the case that a token describes."""
    return Failure(block, position, of if isinstance(of, Case) else read(of), found or verdict())


def failures(signature, tokens=TOKENS):
    """Failures with one signature."""
    return [failure(token, verdict_like(signature), position=at) for at, token in enumerate(tokens)]


def cause(signature=OUTPUT, rule=None, tokens=TOKENS, **others):
    """A cause that explains a failure of each token, the first of which is its smallest case.

    `others` are attributes of its smallest case or of itself.
    """
    explained = tuple(failures(signature, tokens))
    of_smallest = {name: others.pop(name) for name in list(others) if name in SmallestCase.__slots__}
    smallest = {"first": explained[0], "case": explained[0].case, "verdict": explained[0].verdict}
    smallest |= {"reproduced": ATTEMPTS, **of_smallest}
    condition = None if rule is None else FailureCondition(Rule(rule), 1.0, 1.0, 40)
    examination = Examination(Diagnosis(failure_condition=condition))
    given = {"examination": examination, "explains": explained, **others}
    return Cause(signature=signature, smallest=SmallestCase(**smallest), **given)
