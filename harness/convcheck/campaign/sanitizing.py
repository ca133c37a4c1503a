"""The part of a campaign that runs under a sanitizer: a share of the cases, and the causes of what is reported."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Final

from convcheck.campaign.options import Options
from convcheck.execution import SanitizedCandidate, WorkerStartError, open_sanitized
from convcheck.judging.judge import Excluded
from convcheck.judging.sanitizing import judge_sanitized
from convcheck.judging.tally import Failure, Tally
from convcheck.model.case import Case
from convcheck.model.sanitizers import Sanitizer
from convcheck.triage.delta_debugging import Blocks
from convcheck.triage.findings import triage
from convcheck.triage.triage import Triage

_MOST_CALLS: Final = {Sanitizer.ADDRESS: 800}
_MOST_CALLS_ON_A_DEVICE: Final = 100
"""Calls in which the causes of reports are looked for: one that is reported on costs a fresh process, which is forked
in a quarter of a second under AddressSanitizer, and takes some ten on a device."""


def check_sanitizer(spec: str, options: Options) -> None:
    """Start a candidate under the sanitizer of a campaign, so that what is missing shows before anything is judged.

    Raises:
        ConvcheckError: what `open_sanitized` raises.
    """
    if options.sanitize is not None:
        _opened(spec, options).close()


def judge_share(spec: str, options: Options, cases: Sequence[Case], block: int) -> Tally:
    """The tally of some cases under the sanitizer of a campaign.

    Args:
        spec: of the backend.
        options: of the campaign, with a sanitizer.
        cases: legal calls.
        block: the index of the part of the run.
    """
    assert options.sanitize is not None
    return judge_sanitized(partial(_opened, spec, options), options.sanitize, cases, block, options.clause or None)


def triage_reports(
    spec: str,
    options: Options,
    failures: Sequence[Failure],
    blocks: Blocks,
    *,
    excluded: Excluded,
    most_calls: int,
    until: float,
) -> Triage:
    """The findings of what was reported, by a candidate under the same sanitizer.

    No known defect is compared with it: what was reported says nothing about values.

    Args:
        spec: of the backend.
        options: of the campaign.
        failures: that a sanitizer reported.
        blocks: the cases of a block.
        excluded: failures that are known.
        most_calls: of the candidate; fewer are made where they take long.
        until: the time of `time.monotonic` after which none is made.
    """
    # a candidate that is not called need not be started, which takes seconds
    if most_calls == 0 or time.monotonic() >= until:
        return Triage((), (), tuple(failures))
    if not failures or options.sanitize is None:
        return Triage((), ())
    try:
        with closing(_opened(spec, options)) as candidate:
            most = min(most_calls, _MOST_CALLS.get(options.sanitize, _MOST_CALLS_ON_A_DEVICE))
            found = triage(candidate, failures, blocks, excluded=excluded, defects=(), most_calls=most, until=until)
    except WorkerStartError:
        return Triage((), (), tuple(failures))
    sanitizer = str(options.sanitize)
    findings = (replace(f, reproduction=replace(f.reproduction, sanitizer=sanitizer)) for f in found.findings)
    return replace(found, findings=tuple(findings))


def _opened(spec: str, options: Options) -> SanitizedCandidate:
    assert options.sanitize is not None
    return open_sanitized(spec, options.sanitize, limit=options.limit)
