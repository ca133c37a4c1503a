"""What became of a backend: what was gathered of its cases and found out about its failures, counted."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.campaign.counting import counts
from convcheck.campaign.gathering import Gathered
from convcheck.campaign.journal import Judged
from convcheck.campaign.level_counts import level_counts
from convcheck.judging.tally import Failure
from convcheck.model.coverage import Coverage, from_counts
from convcheck.model.passes import pass_counts
from convcheck.model.record import BackendRecord, by_level
from convcheck.triage.triage import Triage


def expected(gathered: Gathered) -> Triage:
    """The failures that are known, each as a finding of its entry."""
    covered = list(gathered.entries.findings(gathered.spec, gathered.tally.failures, gathered.beyond.known))
    return Triage(tuple(finding for finding, _ in covered), tuple(failures for _, failures in covered))


def unknown(gathered: Gathered) -> list[Failure]:
    """The failures that no entry covers."""
    return [f for f in gathered.tally.failures if gathered.entries.entry(f.case, f.verdict) is None]


def counted(
    at: int, backend: BackendRecord, gathered: Gathered, found: Triage, interactions: Sequence[Coverage] = ()
) -> Judged:
    """What became of a backend.

    Args:
        at: its place in the run.
        backend: what is said of it besides.
        gathered: of its cases.
        found: about what failed, known or not.
        interactions: t-way coverage.
    """
    spec, tally, beyond = gathered.spec, gathered.tally, gathered.beyond
    return Judged(
        at=at,
        backend=backend,
        counts=counts(spec, tally, found.findings, found.accounted, beyond.rows),
        levels=level_counts(spec, gathered.entries.entries, tally, beyond.levels),
        passes=pass_counts(spec, tally.right, tally.wrong),
        findings=by_level(found.findings),
        reached=tally.reach.counts(spec),
        coverage=from_counts(tally.coverage),
        interactions=tuple(interactions),
    )
