"""Metamorphic relations: what the outputs of one candidate have to have to do with each other, whatever it computes.

Each relation is an oracle of its own, so that a finding shrinks under the relation that found it.
Sources: Chen, Cheung & Yiu (1998) on metamorphic testing; the relations follow from the documented formula.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from convcheck.oracles.metamorphic.equivalences import EQUIVALENCES
from convcheck.oracles.metamorphic.judging import calls, images, judge, layer_of, oracle_name
from convcheck.oracles.metamorphic.relation import Layer, Relation
from convcheck.oracles.metamorphic.symmetries import SYMMETRIES
from convcheck.oracles.oracle import Oracle, Priority

__all__ = ["ORACLES", "RELATIONS", "Layer", "Relation", "images", "layer_of", "oracle_name"]

RELATIONS: Final = SYMMETRIES + EQUIVALENCES
"""Every relation."""

_EVERY: Final = 10
"""About ten of the relations apply to a case, so that one of them is asked about it, on average."""

ORACLES: Final = tuple(
    Oracle(
        oracle_name(relation),
        partial(judge, relation),
        partial(calls, relation),
        _EVERY,
        priority=Priority.OWN_CALLS,
        relational=True,
    )
    for relation in RELATIONS
)
"""One oracle a relation."""
