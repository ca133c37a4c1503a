"""Which pairs and triples of parameter classes the cases of a run took."""

from __future__ import annotations

from collections.abc import Iterable

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.coverage import Coverage
from convcheck.strategies.covering_array import measure
from convcheck.strategies.parameter_model import Space


def interactions(
    cases: Iterable[Case], capabilities: Capabilities, dtypes: tuple[str, ...] | None = None
) -> tuple[Coverage, ...]:
    """2-way and 3-way coverage by the legal ones among some cases, a row each.

    Args:
        cases: the cases, say the first thousand of a run.
        capabilities: what they were drawn for.
        dtypes: those that they were restricted to.

    Returns:
        Rows such as "2-way", "100.00% (2,504 of 2,504)", with the number of legal cases.
    """
    legal = [case for case in cases if case.violation is None]
    measured = measure(Space.of(capabilities, dtypes), legal)
    return tuple(Coverage(parameter=f"{i.strength}-way", value=i.figure, cases=len(legal)) for i in measured)
