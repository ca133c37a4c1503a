"""Every case of a run comes from Hypothesis' engine; nothing else makes cases."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import currently_in_test_context

from convcheck import ReferenceBackend
from convcheck.campaign.job import Job
from convcheck.campaign.options import Options
from convcheck.campaign.scheduler import tallies
from convcheck.execution import InProcessCandidate
from convcheck.model.origins import Origin
from convcheck.strategies.provider import Provider

EXAMPLES = 60


class Watched(ReferenceBackend):
    """Counts its calls by whether Hypothesis' engine runs an example, which one thread alone knows."""

    capabilities = replace(ReferenceBackend.capabilities, thread_safe=False)

    def __init__(self):
        self.calls = Counter()

    def conv2d(self, *arguments):
        self.calls[currently_in_test_context()] += 1
        return super().conv2d(*arguments)


def judged(backend, seed=0):
    job = Job("", Options(specs=(), examples=EXAMPLES, dtypes=("float32",), seed=seed))
    return list(tallies(job, InProcessCandidate(lambda: backend)))


def test_searches_and_histories_call_the_candidate_from_examples_of_the_engine():
    backend = Watched()
    judged(backend)
    assert backend.calls[True] > EXAMPLES // 2


def test_drawn_cases_are_answered_by_the_provider(monkeypatch):
    asked = Counter()
    answer = Provider.per_test_case_context_manager

    def counted(self):
        asked["test cases"] += 1
        return answer(self)

    monkeypatch.setattr(Provider, "per_test_case_context_manager", counted)
    drawn = sum(tally.origins[Origin.DRAWN] + tally.origins[Origin.HISTORY] for tally in judged(Watched(), seed=1))
    # without the simplest history, which the engine makes up; the first block is drawn once more, to be put in order
    assert drawn - 1 <= asked["test cases"] <= drawn + 250


@pytest.mark.parametrize("origin", [Origin.DRAWN, Origin.SEARCHED, Origin.HISTORY])
def test_a_run_has_some_of_every_origin(origin):
    assert sum(tally.origins[origin] for tally in judged(Watched())) >= 1
