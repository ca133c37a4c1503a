"""Hypothesis searches for failures of its own accord: it steers towards large margins, and shrinks what fails.

Its examples depend on its database and on what it learnt in earlier runs, as in any test with `@given`; the
judged run beside it (`test_conformance`) is the same for everybody. `--conv-explore` says for how many examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings, target
from hypothesis import strategies as st

from convcheck.campaign.known_failures import Known
from convcheck.execution import Candidate, open_candidate
from convcheck.judging.judge import first_causes, judge_case
from convcheck.model.verdicts import Verdict
from convcheck.plugin.backend import UnavailableError
from convcheck.pytest_plugin import known_entries
from convcheck.strategies import cases
from convcheck_reference.errors import ConvcheckError


class DiscrepancyError(ConvcheckError, AssertionError):
    """A case that shows a discrepancy."""


@pytest.fixture
def conv_candidate(conv_explored: str, request: pytest.FixtureRequest) -> Iterator[Candidate]:
    """The backend in a worker of its own."""
    try:
        candidate = open_candidate(conv_explored, limit=request.config.getoption("conv_limit"))
    except UnavailableError as error:
        pytest.skip(f"{conv_explored} is unavailable: {error}")
    yield candidate
    candidate.close()


def test_exploration(conv_candidate: Candidate, conv_explored: str, request: pytest.FixtureRequest) -> None:
    """No case that Hypothesis finds shows a discrepancy."""
    known = Known(known_entries(request.config, conv_explored))

    @settings(
        max_examples=request.config.getoption("conv_explore"),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(st.data())
    def explore(data: Any) -> None:
        case = data.draw(cases(conv_candidate.capabilities))
        verdicts, _, _ = judge_case(conv_candidate, case)
        for label, margin in _margins(verdicts).items():
            target(margin, label=label)
        for verdict in first_causes(verdicts):
            if not known.covers(case, verdict):
                kind = _kind(verdict.oracle, verdict.quantity, verdict.status)
                raise kind(f"{verdict.reason}\nconvcheck replay {case.token} --backend {conv_explored}")
        event(f"judged: {case.dtype}")

    explore()


def _margins(verdicts: tuple[Verdict, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for verdict in verdicts:
        if verdict.margin is not None and verdict.margin <= 1.0:
            found[verdict.quantity] = max(verdict.margin, found.get(verdict.quantity, 0.0))
    return found


@lru_cache
def _kind(*what: str) -> type[DiscrepancyError]:
    """A class for each kind of failure: Hypothesis tells failures apart by their class, and shrinks each."""
    name = " ".join(what).replace("-", " ").replace("_", " ").title().replace(" ", "")
    return type(f"{name}Error", (DiscrepancyError,), {})
