import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Verbosity, given, settings
from hypothesis import strategies as st

from convcheck import Capabilities
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.strategies.plain import PlainSpace
from convcheck.triage.complexity import complexity
from convcheck.triage.hypothesis_shrinking import shrink_by_hypothesis
from convcheck.triage.trials import Trials

SPACE = PlainSpace.of(Capabilities(dtypes=("float32", "float64", "float16"), module=True)).with_sparse_data()
BIG = read("v1,x=4x24x30x37,out=24,k=3x5,s=2x1,p=1x2,d=1x2,g=4,dtype=float16,values=wide,layout=sliced,seed=99")
LEAST = read("v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1")


def trials_of(rule, case=BIG, most=300):
    return Trials(case, lambda tried: Rule(rule).holds(facts(tried)), most)


def shrunk(rule, case=BIG, most=300):
    trials = trials_of(rule, case, most)
    return shrink_by_hypothesis(case, trials, SPACE), trials.tried


@pytest.mark.parametrize(
    ("rule", "smallest"),
    [
        ("", LEAST.token),
        ("groups > 1 and kernel_w > 1", "v1,x=1x2x1x2,out=2,k=1x2,g=2,bias=false,nonzeros=1"),
        ("stride_h != stride_w", "v1,x=1x1x1x1,out=1,k=1,s=2x1,bias=false,nonzeros=1"),
        ("output_w % 4 == 1 and output_w > 4", "v1,x=1x1x1x5,out=1,k=1,bias=false,nonzeros=1"),
        ("layout_weight == 'sliced'", "v1,x=1x1x1x1,out=1,k=1,bias=false,layout-weight=sliced,nonzeros=1"),
        ("dtype == 'float16' and kernel_w > 4", "v1,x=1x1x1x5,out=1,k=1x5,bias=false,dtype=float16,nonzeros=1"),
    ],
)
def test_the_least_case_in_few_trials(rule, smallest):
    found, tried = shrunk(rule)
    assert found == read(smallest)
    assert tried <= 60


def test_data_are_shrunk_when_the_layer_is_found():
    found, _ = shrunk("groups > 1")
    assert (found.nonzeros, found.seed) == (1, 0)
    trials = Trials(BIG, lambda case: case.seed == 99 and case.params.groups > 1, 300)
    found = shrink_by_hypothesis(BIG, trials, SPACE)
    assert found == read("v1,x=1x2x1x1,out=2,k=1,g=2,bias=false,nonzeros=1,seed=99")


@pytest.mark.parametrize("most", [0, 1, 5, 20])
def test_no_more_cases_are_tried_than_allowed_and_what_is_found_fails(most):
    found, tried = shrunk("groups > 1 and kernel_w > 1", most=most)
    assert tried <= most
    assert Rule("groups > 1 and kernel_w > 1").holds(facts(found))
    assert complexity(found) <= complexity(BIG)


@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt(), SystemExit(3), AssertionError("no")])
def test_what_a_candidate_raises_comes_out_as_it_is(error):
    def fails(_):
        raise error

    with pytest.raises(type(error)) as caught:
        shrink_by_hypothesis(BIG, Trials(BIG, fails, 100), SPACE)
    assert caught.value is error


@pytest.mark.parametrize("token", ["v1,x=1x1x4x4,out=1,k=5", "v1,x=1x1x200x1,out=1,k=150x1"])
def test_what_has_no_numbers_is_left_as_it_is(token):
    case = read(token)
    trials = Trials(case, lambda _: True, 100)
    assert shrink_by_hypothesis(case, trials, SPACE) == case
    assert trials.tried == 0


def test_within_a_test_of_hypothesis_there_is_no_shrinking_by_hypothesis():
    found = []

    @settings(max_examples=1, database=None)
    @given(st.just(BIG))
    def outer(case):
        found.append(shrink_by_hypothesis(case, trials_of("", case), SPACE))

    outer()
    assert found == [BIG]


def test_nothing_is_printed_and_the_tracer_is_left_alone(capsys):
    trace = sys.gettrace()
    seen = []

    def fails(case):
        seen.append(sys.gettrace())
        return facts(case)["groups"] > 1

    trials = Trials(BIG, fails, 300)
    shrink_by_hypothesis(BIG, trials, SPACE)
    assert set(seen) == {trace}
    assert sys.gettrace() is trace
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    "profile",
    [settings(verbosity=Verbosity.quiet), settings(derandomize=True, database=None), settings(max_examples=1)],
)
def test_profiles_of_the_run_change_nothing(profile):
    before = settings.get_current_profile_name()
    expected = shrunk("groups > 1 and kernel_w > 1")
    settings.register_profile("changed", profile)
    settings.load_profile("changed")
    try:
        assert shrunk("groups > 1 and kernel_w > 1") == expected
    finally:
        settings.load_profile(before)


SCRIPT = """
import sys
{imports}
import test_hypothesis_shrinking as tests
found, tried = tests.shrunk("groups > 1 and kernel_w > 1 and output_h > 2")
print(found.token, tried)
"""


def test_the_same_in_any_process():
    def run(imports, hash_seed):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        env["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        script = SCRIPT.format(imports=imports)
        return subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        ).stdout

    plain = run("", "1")
    assert plain.startswith("v1,x=1x2x3x2,out=2,k=1x2,g=2,bias=false,nonzeros=1 ")
    assert run("import altered, full_record, stand_ins, random; random.seed(7)", "2") == plain
