"""What a record says of a backend: versions, promises, margins, precision, and where the time went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from convcheck.campaign.gathering import Gathered
from convcheck.campaign.job import Job
from convcheck.execution import Candidate
from convcheck.model.capabilities import Capabilities
from convcheck.model.origins import Origin, OriginCount
from convcheck.model.profiles import QUANTITIES, Profile, Quantity
from convcheck.model.record import PARTS_OF_TIME, BackendRecord
from convcheck.numerics.precision import Ratios, classify, drift


def backend_record(spec: str, job: Job, candidate: Candidate, gathered: Gathered) -> BackendRecord:
    """What a record says of one backend besides findings and counts.

    Args:
        spec: as it was asked for.
        job: what was done.
        candidate: as it was judged.
        gathered: what came of it.
    """
    tally = gathered.tally
    capabilities = candidate.capabilities
    return BackendRecord(
        name=spec,
        spec=job.spec,
        cases=tally.cases,
        origins=origins(gathered),
        sanitizer="" if job.options.sanitize is None else job.options.sanitize.label,
        versions=dict(candidate.versions),
        guarantees=candidate.guarantees,
        profiles=_profiles(capabilities),
        margins=dict(sorted(tally.margins.items())),
        right_calls=dict(sorted(tally.calls.items())),
        behaviour=_behaviour(capabilities, tally.precision_samples),
        seconds={part: tally.seconds[part] for part in PARTS_OF_TIME},
    )


def _profiles(capabilities: Capabilities) -> dict[str, Profile]:
    """By "dtype quantity", and "dtype quantity path" where a path has a promise of its own."""
    found: dict[str, Profile] = {}
    for dtype in capabilities.dtypes:
        for quantity in filter(capabilities.supports_quantity, QUANTITIES):
            found[f"{dtype} {quantity}"] = capabilities.profile(dtype, quantity)
            for path in capabilities.paths(dtype, quantity):
                found[f"{dtype} {quantity} {path}"] = capabilities.profiles[dtype, quantity, path]
    return found


def origins(gathered: Gathered) -> tuple[OriginCount, ...]:
    """How many cases came about in each way, and how many of them failed."""
    tally = gathered.tally
    failing = Counter(origin for origin, _, _ in {(f.origin, f.block, f.position) for f in tally.failures})
    failing.update(gathered.beyond.origins)
    return tuple(
        OriginCount(origin=origin, cases=tally.origins[origin], failing_cases=failing[origin])
        for origin in Origin
        if tally.origins[origin]
    )


def _behaviour(capabilities: Capabilities, samples: Sequence[Ratios]) -> dict[str, str]:
    """What the backend behaves like; more than that where it is coarser than what it declares."""
    by_kind: dict[tuple[str, Quantity], list[Ratios]] = {}
    for some in samples:
        by_kind.setdefault((some.dtype, some.quantity), []).append(some)
    found: dict[str, str] = {}
    for (dtype, quantity), ratios in sorted(by_kind.items()):
        like = classify(ratios)
        if like is not None:
            found[f"{dtype} {quantity}"] = drift(capabilities.profile(dtype, quantity), like) or str(like)
    return found
