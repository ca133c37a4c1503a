"""A test of Hypothesis' own: it searches, shrinks, explains and remembers as any other with `@given`.

The judged run beside it (`test_conformance`) is the same for everybody; this one is as its profile says. With
`--conv-explore` there is one for each backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from convcheck.campaign.known_failures import Known
from convcheck.execution import Candidate, open_candidate
from convcheck.judging.judge import first_causes, judge_case
from convcheck.judging.search import Steering
from convcheck.model.levels import Level
from convcheck.oracles.levels import level_of
from convcheck.plugin.backend import UnavailableError
from convcheck.pytest_plugin import known_entries
from convcheck.strategies import cases
from convcheck_reference.errors import ConvcheckError


class DiscrepancyError(ConvcheckError, AssertionError):
    """A case that shows a discrepancy."""


@pytest.fixture(scope="module")
def conv_candidate(conv_explored: str, request: pytest.FixtureRequest) -> Iterator[Candidate]:
    """The backend in a worker of its own."""
    try:
        candidate = open_candidate(conv_explored, limit=request.config.getoption("conv_limit"))
    except UnavailableError as error:
        pytest.skip(f"{conv_explored} is unavailable: {error}")
    yield Known(known_entries(request.config, conv_explored)).skipping(candidate)
    candidate.close()


@pytest.fixture(scope="module")
def conv_known(conv_explored: str, request: pytest.FixtureRequest) -> Known:
    """Its known failures."""
    return Known(known_entries(request.config, conv_explored))


@pytest.fixture(scope="module")
def conv_level(request: pytest.FixtureRequest) -> Level:
    """The last level that counts."""
    return Level(request.config.getoption("conv_level"))


@pytest.fixture(scope="module")
def conv_steering(conv_candidate: Candidate) -> Steering:
    """What has been seen of the backend, so that what is new can be told."""
    return Steering(conv_candidate.capabilities)


@settings(deadline=None, print_blob=True)
@given(data=st.data())
def test_exploration(
    conv_candidate: Candidate,
    conv_known: Known,
    conv_level: Level,
    conv_steering: Steering,
    conv_explored: str,
    data: st.DataObject,
) -> None:
    """No case that Hypothesis finds shows a discrepancy."""
    case = data.draw(cases(conv_candidate.capabilities), label="case")
    note(f"{case.arguments} on {case.input_shape}, {case.dtype}\nconvcheck replay {case.token} -b {conv_explored}")
    event("dtype", case.dtype)
    event("illegal" if case.violation is not None else "legal")
    verdicts, _, _ = judge_case(conv_candidate, case)
    for verdict in verdicts:
        event(f"judged by {verdict.oracle}", str(verdict.status))
    conv_steering.steer(case, verdicts)
    for verdict in first_causes(verdicts):
        if level_of(case, verdict).within(conv_level) and not conv_known.covers(case, verdict):
            raise _kind(verdict.oracle, verdict.quantity, verdict.status)(verdict.reason)


@lru_cache
def _kind(*what: str) -> type[DiscrepancyError]:
    """A class for each kind of failure: Hypothesis tells failures apart by their class, and shrinks each."""
    name = " ".join(what).replace("-", " ").replace("_", " ").title().replace(" ", "")
    return type(f"{name}Error", (DiscrepancyError,), {})
