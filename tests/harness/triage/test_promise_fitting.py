from dataclasses import replace

from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.triage.promise_fitting import Whole

CASE = read("v1,x=2x3x5x6,out=3,k=3")


def trial(seed=0):
    return Trial(replace(CASE, seed=seed), Capabilities())


def test_under_promise_after_promise_the_reference_is_asked_once():
    whole, lean = Whole(), trial()
    others = [whole(lean).under(Capabilities(gradients=gradients)) for gradients in (True, False)]
    assert others[0].expected_integers is others[1].expected_integers
    assert others[0].expected_reals is others[1].expected_reals


def test_what_it_said_is_kept_of_the_last_few_trials_alone():
    whole, lean = Whole(), trial()
    first = whole(lean)
    for seed in range(1, 40):
        whole(trial(seed))
    assert whole(lean) is not first
    assert "expected_reals" not in vars(lean)


def test_what_has_no_results_is_as_it_is():
    illegal = Trial(read("v1,x=1x1x4x4,out=1,k=5"), Capabilities())
    assert Whole()(illegal) is illegal
