"""How many cases each level was judged in, from the tally of a backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from convcheck.campaign.known_failures import Known, KnownFailure
from convcheck.judging.tally import Tally
from convcheck.model.levels import Level, LevelCount
from convcheck.oracles.levels import kind_at, level_of


def level_counts(
    backend: str,
    known: Sequence[KnownFailure],
    tally: Tally,
    beyond: Mapping[tuple[Level, str], int] = MappingProxyType({}),
) -> tuple[LevelCount, ...]:
    """The counts of a backend by level and kind of illegal arguments; what is known to fail is in neither number.

    What failed is counted by the verdict on each case, not by the finding that it was put to: which kinds of illegal
    arguments are let through does not hang on what they turn out to have in common.

    Args:
        backend: its name.
        known: what is known to fail.
        tally: of its cases.
        beyond: failing cases whose failures are not in the tally.
    """
    entries = Known(tuple(known))
    unknown = [f for f in tally.failures if entries.entry(f.case, f.verdict) is None]
    leveled = [(level_of(f.case, f.verdict), f) for f in unknown]
    failing = {(level, kind_at(level, f.case), f.origin, f.block, f.position) for level, f in leveled}
    failed = Counter[tuple[Level, str]]((level, kind) for level, kind, *_ in failing)
    failed.update(beyond)
    return tuple(
        LevelCount(backend=backend, level=key[0], error_clause=key[1], passed=tally.levels[key], failed=failed[key])
        for key in sorted({*tally.levels, *failed}, key=lambda key: (key[0].rank, len(key[1]), key[1]))
    )
