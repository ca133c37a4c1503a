"""The smallest failing case of a finding as `convcheck explain` draws it, its worst element marked."""

from __future__ import annotations

from convcheck.explanation.figures import Figure, Wrong, figures
from convcheck.explanation.geometry import Geometry
from convcheck.explanation.plain_text import drawing
from convcheck.model.case import Case
from convcheck.model.record import Finding
from convcheck.model.token import read
from convcheck_reference.params import Pair


def failing_figures(finding: Finding) -> tuple[Figure, ...]:
    """The pictures; none of a finding without a legal case, which has no windows."""
    case = _legal_case(finding)
    return () if case is None else figures(case.params, _size(case), _wrong(finding, case))


def failing_drawing(finding: Finding) -> str:
    """The same as characters; empty without a legal case."""
    case = _legal_case(finding)
    if case is None:
        return ""
    shown = _wrong(finding, case).output
    return drawing(Geometry.of(case.params, _size(case), shown[0] if shown else (0, 0)))


def _legal_case(finding: Finding) -> Case | None:
    if not finding.reproduction.token:
        return None
    case = read(finding.reproduction.token)
    return case if case.violation is None else None


def _size(case: Case) -> Pair:
    return case.input_shape[-2], case.input_shape[-1]


def _wrong(finding: Finding, case: Case) -> Wrong:
    """The worst element, if it has a place in the picture of its quantity."""
    quantity, evidence = finding.verdict.quantity, finding.verdict.evidence
    if evidence is None or len(evidence.index) < 2:
        return Wrong()
    place = evidence.index[-2], evidence.index[-1]
    limits = {"output": case.output_shape[-2:], "grad_input": _size(case), "grad_weight": case.params.kernel_size}
    limit = limits.get(quantity, (0, 0))
    if not all(0 <= at < size for at, size in zip(place, limit, strict=True)):
        return Wrong()
    marked = (place,)
    return Wrong(
        output=marked if quantity == "output" else (),
        image=marked if quantity == "grad_input" else (),
        taps=marked if quantity == "grad_weight" else (),
        index=evidence.index,
    )
