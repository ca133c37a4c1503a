"""Error parity: what is illegal is refused with a Python exception, what is legal is accepted.

Neither may kill the process or hang. The text and class of the exception are the candidate's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, SupportsIndex

from convcheck.model.calls import Died, Hung, Raised, Returned, Sanitized
from convcheck.model.case import Case
from convcheck.model.extensions import Extension
from convcheck.model.levels import Level
from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import double_backward
from convcheck.oracles.oracle import CALL, AtScale, Oracle
from convcheck.oracles.support.error_level import EXTREME
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import REALS, Trial, plain_key
from convcheck_reference import errors

NAME = "parity"

_CLAUSES: Final[dict[type[errors.ConvcheckError], str]] = {
    errors.StrideError: "C2D-ERROR-1",
    errors.KernelSizeError: "C2D-ERROR-2",
    errors.GroupsError: "C2D-ERROR-3",
    errors.SamePaddingStrideError: "C2D-ERROR-4",
    errors.PaddingError: "C2D-ERROR-5",
    errors.DilationError: "C2D-ERROR-6",
    errors.PaddingModeError: "C2D-ERROR-7",
    errors.KernelTooLargeError: "C2D-ERROR-8",
    errors.ReflectPaddingError: "C2D-ERROR-9",
    errors.CircularPaddingError: "C2D-ERROR-10",
    errors.InputShapeError: "C2D-ERROR-11",
    errors.ParameterTypeError: "C2D-ERROR-14",
}

_ON_REALS: Final = frozenset(plain_key(REALS, quantity) for quantity in QUANTITIES)

_RETURNED: Final = Verdict(NAME, "call", Status.PASS, ("C2D-ERROR-13", "C2D-PURE-3"))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge whether each call returned, raised, died or hung as it should have.

    A call that another oracle asked for fails under the name of that oracle, which has to ask again to repeat it.
    """
    case = trial.case
    for call, outcome in trial.outcomes.items():
        if isinstance(outcome, Sanitized):
            continue  # whether it came back is judged where nothing watches
        asked_by = call.asked_by or NAME
        if isinstance(outcome, Died):
            reason = outcome.ended
            clauses = (*_clauses(case), "C2D-PURE-3")
            if outcome.fault:
                reason, clauses = f"{outcome.fault} ({outcome.how})", ("C2D-PURE-5", *clauses)
            yield Verdict(asked_by, "call", Status.CRASHED, clauses, reason)
        elif isinstance(outcome, Hung):
            reason = f"no result within {outcome.limit:g} s"
            yield Verdict(asked_by, "call", Status.HUNG, (*_clauses(case), "C2D-PURE-3"), reason)
        elif case.violation is not None:
            # where it is an extension, what it gives is judged, not whether it refuses
            promoted = case.flaw == "bias_dtype" and Extension.PROMOTED_DTYPES in trial.capabilities.extensions
            if trial.capabilities.extension_of(case) is None and not promoted:
                yield _judge_illegal(case, outcome)
        elif isinstance(outcome, Raised):
            if call.asked_by == double_backward.NAME and double_backward.may_raise(trial):
                continue  # that oracle says so
            reason = f"a legal call raised {outcome.kind}: {outcome.message}"
            clauses = (*_clauses(case), "C2D-ERROR-13")
            # the same layer on integers, called before, shows whether it is the values that are refused
            level = Level.IEEE if call in _ON_REALS and case.regime in EXTREME else None
            yield Verdict(asked_by, "call", Status.WRONGLY_REFUSED, clauses, reason, level=level)
        else:
            yield _RETURNED


def unspecified(case: Case) -> str | None:
    """Why an illegal case is not judged: the documentation leaves its refusal open."""
    spelled = case.arguments
    kernel = spelled.kernel_size
    sizes = (spelled.in_channels, spelled.out_channels, *(kernel if isinstance(kernel, list | tuple) else (kernel,)))
    if any(isinstance(size, bool) for size in sizes) or not isinstance(spelled.bias, bool):
        return "True counts as 1, and whatever is true as True: torch.nn.Conv2d takes these"
    if case.entry == "function" and not all(isinstance(size, SupportsIndex) for size in sizes):
        return "a function gets these sizes as those of its tensors"
    pairs = (spelled.stride, spelled.padding, spelled.dilation)
    if any(isinstance(pair, list | tuple) and len(pair) == 1 for pair in pairs):
        return "one number in a tuple: torch takes it for both axes"
    if case.flaw == "bias_dtype" and isinstance(spelled.padding, str):
        return "torch looks at the dtype of the bias only where padding is a number"
    if isinstance(case.violation, errors.ChannelsError | errors.SizeOverflowError):
        return "the documentation does not say that such channels and sizes are refused"
    return _nothing_flawed(case)


def _nothing_flawed(case: Case) -> str | None:
    """Why no tensor of a call has the flaw that a case names, as where a smaller case was looked for."""
    flaw, spelled = case.flaw, case.arguments
    if flaw == "bias_single" and spelled.out_channels == 1:
        return "a bias of one entry is what a layer of one filter has"
    if flaw.startswith("bias") and not spelled.bias:
        return "a layer without bias has none that could be wrong"
    if flaw.startswith(("bias", "weight")) and case.entry == "module":
        return "a module makes its weight and bias itself"
    return None


def _judge_illegal(case: Case, outcome: Returned | Raised) -> Verdict:
    reason = unspecified(case)
    if reason is not None:
        return Verdict(NAME, "call", Status.NOT_APPLICABLE, _clauses(case), reason)
    if isinstance(outcome, Raised):
        return Verdict(NAME, "call", Status.PASS, _clauses(case))
    shapes = ", ".join(f"{n} {a.shape}" for n, a in outcome.arrays.items() if a is not None)
    reason = f"illegal, but a result came back ({shapes}): {case.violation}"
    return Verdict(NAME, "call", Status.WRONGLY_ACCEPTED, _clauses(case), reason)


def kind_of_violation(case: Case) -> str:
    """The kind of illegal arguments that a case has, as the clause that they break; empty for a legal case."""
    if case.violation is None:
        return ""
    if case.flaw in ("weight_dtype", "bias_dtype"):
        return "C2D-ERROR-12"
    return _CLAUSES.get(type(case.violation), "C2D-ERROR-11")


def _clauses(case: Case) -> tuple[str, ...]:
    return exercised(case) if case.violation is None else (kind_of_violation(case),)


ORACLE: Final = Oracle(NAME, judge, judges_illegal=True, kind=CALL, at_scale=AtScale.WHOLE)
