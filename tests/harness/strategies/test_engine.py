import inspect
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, event, given, note, settings, target
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck
from hypothesis.statistics import collector

from convcheck import Capabilities, ReferenceBackend
from convcheck.campaign.job import Job
from convcheck.campaign.options import Options
from convcheck.campaign.scheduler import tallies
from convcheck.defects import defect
from convcheck.execution import InProcessCandidate
from convcheck.judging import blocks
from convcheck.judging.histories import histories
from convcheck.strategies.draws import from_key
from convcheck.strategies.engine import for_each, own_settings, run

HOSTILE = {
    "max_examples": 3,
    "phases": (Phase.explicit,),
    "verbosity": Verbosity.debug,
    "derandomize": True,
    "deadline": 1,
    "stateful_step_count": 1,
    "print_blob": True,
    "report_multiple_bugs": True,
    "suppress_health_check": (),
}


@pytest.fixture
def hostile() -> Iterator[None]:
    """A profile that changes all that a profile can."""
    before = settings.get_current_profile_name() if hasattr(settings, "get_current_profile_name") else "default"
    settings.register_profile("hostile", **HOSTILE)
    settings.load_profile("hostile")
    yield
    settings.load_profile(before)


def tokens():
    blocks._first_block.cache_clear()
    return [case.token for case in blocks.generate(Capabilities(), run_seed=3, block=0, size=20)]


def campaign():
    job = Job("", Options(specs=(), examples=40, dtypes=("float32",)))
    found = list(tallies(job, InProcessCandidate(ReferenceBackend)))
    return [(tally.counts, tally.origins) for tally in found]


def smallest_history():
    candidate = InProcessCandidate(defect("weight-kept-by-shape").backend)
    return histories(candidate, seed=0, number=1, size=6, steps=4, dtypes=("float32",)).failing


@pytest.mark.parametrize("what", [tokens, campaign, smallest_history])
def test_a_profile_changes_nothing_of_a_run_and_makes_it_say_nothing(what, request, capsys):
    plain = what()
    assert plain
    request.getfixturevalue("hostile")
    assert what() == plain
    assert capsys.readouterr() == ("", "")


def test_a_run_leaves_no_setting_to_a_profile(hostile):
    names = set(inspect.signature(settings.__init__).parameters) - {"self", "parent"}
    ours = own_settings(backend="hypothesis", max_examples=7, phases=(Phase.generate,))
    settings.load_profile("default")
    theirs = own_settings(backend="hypothesis", max_examples=7, phases=(Phase.generate,))
    assert {name: getattr(ours, name) for name in names} == {name: getattr(theirs, name) for name in names}
    assert ours.suppress_health_check == (HealthCheck.too_slow, HealthCheck.filter_too_much)


def nested(number):
    """Some cases, drawn within a test of Hypothesis'."""
    for_each(st.integers(0, 99), [from_key(str(n)) for n in range(number)], lambda value: event(f"inner {value}"))


def test_within_another_test_hypothesis_says_how_to_allow_it():
    @settings(database=None, max_examples=2)
    @given(st.integers())
    def test(value):
        nested(5)

    with pytest.raises(FailedHealthCheck, match=r"suppress_health_check=\[HealthCheck.nested_given\]"):
        test()


def test_within_another_test_that_allows_it_it_is_no_part_of_that_test():
    seen = []

    @settings(database=None, max_examples=2, suppress_health_check=[HealthCheck.nested_given])
    @given(st.integers(0, 1))
    def test(value):
        nested(5)
        event("outer")
        target(float(value))
        note("a note")

    with collector.with_value(seen.append):
        test()
    (statistics,) = seen
    events = {name for case in statistics["generate-phase"]["test-cases"] for name in case["events"]}
    assert events == {"outer"}


def test_no_draw_is_left_out_and_the_simplest_example_is_not_one():
    found = []
    for_each(st.integers(0, 99), [from_key(str(n)) for n in range(30)], found.append)
    assert found == [from_key(str(n))(0, 99) for n in range(30)]


@pytest.mark.parametrize("error", [ValueError("x"), AssertionError("y")], ids=repr)
def test_an_error_ends_the_run_as_it_is(error, capsys):
    seen = []

    def do(value):
        seen.append(value)
        if len(seen) == 4:
            raise error

    with pytest.raises(type(error)) as caught:
        for_each(st.integers(0, 99), [from_key(str(n)) for n in range(30)], do)
    assert caught.value is error
    assert len(seen) == 4
    assert capsys.readouterr() == ("", "")


def test_the_same_key_searches_the_same():
    def searched(key):
        found = []
        how = own_settings(backend="hypothesis", max_examples=50, phases=(Phase.generate, Phase.target))
        run(st.integers(0, 99), lambda value: (found.append(value), target(float(value)))[0], how, key=key)
        return found

    assert searched(1) == searched(1) != searched(2)
