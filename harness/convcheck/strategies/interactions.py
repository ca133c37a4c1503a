"""Which pairs and triples of parameter classes the cases of a run took."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.model.capabilities import Capabilities
from convcheck.model.coverage import Coverage
from convcheck.strategies.covering_array import measure
from convcheck.strategies.parameter_model import Classes, Space


def interactions(
    taken: Sequence[Classes], capabilities: Capabilities, dtypes: tuple[str, ...] | None = None
) -> tuple[Coverage, ...]:
    """2-way and 3-way coverage by some legal cases, a row each.

    Args:
        taken: the classes of the cases, say of the first thousand of a run.
        capabilities: what they were drawn for.
        dtypes: those that they were restricted to.

    Returns:
        Rows such as "2-way", "100.00% (2,504 of 2,504)", with the number of cases.
    """
    measured = measure(Space.of(capabilities, dtypes), taken)
    return tuple(Coverage(parameter=f"{i.strength}-way", value=i.figure, cases=len(taken)) for i in measured)
