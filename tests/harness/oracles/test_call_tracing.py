import pytest

from convcheck import Capabilities, Status
from convcheck.model.calls import Raised, Returned
from convcheck.model.token import read
from convcheck.oracles import CallKey, Trial, judge
from convcheck.oracles.call_tracing import ORACLE

LAYER = "v1,x=1x2x4x4,out=2,k=3"


def judged(called, token=LAYER):
    trial = Trial(read(token), Capabilities())
    first, *others = trial.calls
    outcomes = {first: Returned({}, called=called), **dict.fromkeys(others, Returned({}))}
    return judge(trial.with_outcomes(outcomes), [ORACLE])


def test_a_candidate_that_calls_a_frameworks_convolution_has_computed_nothing():
    (found,) = judged(("torch.conv2d", "torch.nn.functional.unfold"))
    assert (found.quantity, found.status, found.clauses) == ("work", Status.FAIL, ("C2D-PURE-7",))
    assert found.reason == "the candidate called torch.conv2d, torch.nn.functional.unfold"


def test_a_candidate_that_was_watched_and_called_none_passes():
    assert [v.status for v in judged(())] == [Status.PASS]


@pytest.mark.parametrize(("called", "token"), [(None, LAYER), (("torch.conv2d",), f"{LAYER},s=0")])
def test_where_nobody_looked_or_the_case_is_illegal_nothing_is_said(called, token):
    assert judged(called, token) == ()


def test_only_calls_of_every_case_that_returned_are_judged():
    trial = Trial(read(LAYER), Capabilities())
    first = next(iter(trial.calls))
    outcomes = {first: Raised("ValueError", "no"), CallKey("soak", "1"): Returned({}, called=("torch.conv2d",))}
    assert judge(trial.with_outcomes(outcomes), [ORACLE]) == ()
