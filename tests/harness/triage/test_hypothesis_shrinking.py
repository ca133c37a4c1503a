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
from convcheck.triage.hypothesis_shrinking import explain, shrink_by_hypothesis
from convcheck.triage.trials import Trials

SPACE = PlainSpace.of(Capabilities(dtypes=("float32", "float64", "float16"), module=True)).with_sparse_data()
BIG = read("v1,x=4x24x30x37,out=24,k=3x5,s=2x1,p=1x2,d=1x2,g=4,dtype=float16,values=wide,layout=sliced,seed=99")
LEAST = read("v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1")


def trials_of(rule, case=BIG, most=300):
    return Trials(case, lambda tried: Rule(rule).holds(facts(tried)), most)


def shrunk(rule, case=BIG, most=300):
    trials = trials_of(rule, case, most)
    return shrink_by_hypothesis(case, trials, SPACE), trials.tried


def free(rule, token, most=300):
    trials = trials_of(rule, read(token), most)
    return explain(read(token), trials, SPACE).free


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
@pytest.mark.parametrize("shrinking", [shrink_by_hypothesis, explain])
def test_what_a_candidate_raises_comes_out_as_it_is(error, shrinking):
    def fails(_):
        raise error

    with pytest.raises(type(error)) as caught:
        shrinking(BIG, Trials(BIG, fails, 100), SPACE)
    assert caught.value is error


@pytest.mark.parametrize("token", ["v1,x=1x1x4x4,out=1,k=5", "v1,x=1x1x200x1,out=1,k=150x1"])
def test_what_has_no_numbers_is_left_as_it_is(token):
    case = read(token)
    trials = Trials(case, lambda _: True, 100)
    assert shrink_by_hypothesis(case, trials, SPACE) == explain(case, trials, SPACE).case == case
    assert trials.tried == 0


def test_parameters_that_a_defect_does_not_depend_on_are_free_and_no_others():
    found = free("groups > 1 and stride_w > 1", "v1,x=1x2x1x1,out=2,k=1,s=1x2,g=2,bias=false,nonzeros=1")
    assert {"dilation", "dtype", "layout", "padding_mode", "kernel_size", "batch", "stride_h", "entry"} <= set(found)
    assert not {"groups", "stride", "stride_w"} & set(found)
    found = free("dilation_h > 1", "v1,x=1x1x1x1,out=1,k=1,d=2x1,bias=false,nonzeros=1")
    assert {"dilation_w", "stride", "groups"} <= set(found)
    assert not {"dilation", "dilation_h"} & set(found)


def test_one_value_that_passes_is_enough_not_to_be_free():
    assert "in_channels" in free("", LEAST.token)
    assert "in_channels" not in free("in_channels != 4", LEAST.token)
    assert "layout" not in free("layout_grad != 'broadcast'", LEAST.token)
    assert {"layout_x", "layout_weight"} <= set(free("layout_grad != 'broadcast'", LEAST.token))


@pytest.mark.parametrize(
    ("token", "meaningless"),
    [
        ("v1,x=1x1x3x3,out=1,k=3,p=same,bias=false,nonzeros=1", {"stride", "padding_h", "padding_w"}),
        ("v1,x=1x1x3x3,out=1,k=3,bias=false,entry=module", {"values", "layout_weight", "layout_grad"}),
        ("v1,x=1x3x3,out=1,k=3,bias=false,nonzeros=1", {"batch"}),
    ],
)
def test_nothing_is_said_of_what_makes_no_difference_to_the_case(token, meaningless):
    assert not meaningless & set(free("", token))


def test_what_a_backend_has_no_choice_of_is_not_free():
    few = Capabilities(padding_modes=("zeros",), groups=False, dilation=False, layouts=("contiguous",))
    found = explain(LEAST, trials_of("", LEAST), PlainSpace.of(few).with_sparse_data()).free
    assert {"stride", "kernel_size"} <= set(found)
    assert not {"dtype", "padding_mode", "groups", "dilation", "layout", "entry"} & set(found)


def test_what_was_not_looked_at_is_not_free():
    assert free("", LEAST.token, most=0) == ()
    some = free("", LEAST.token, most=30)
    assert "dtype" in some
    assert "bias" not in some


def test_the_explanation_takes_about_160_trials():
    trials = trials_of("", LEAST, 300)
    explain(LEAST, trials, SPACE)
    assert 100 <= trials.tried <= 200


def test_data_and_spellings_stay_as_they_are_while_parameters_are_looked_at():
    case = read("v1,x=1x1x1x1,out=1,k=1x1,s=1x1,bias=false,seed=123456")
    asked = []
    explain(case, Trials(case, lambda tried: bool(asked.append(tried)) or True, 300), SPACE)
    assert {(tried.seed, tried.nonzeros) for tried in asked} == {(123456, None)}
    assert all(isinstance(tried.arguments.kernel_size, tuple) for tried in asked)


def test_a_simpler_case_that_the_explanation_meets_is_explained_instead():
    case = read("v1,x=1x1x1x1,out=1,k=1,d=1x2,bias=false,nonzeros=1")
    found = explain(case, trials_of("", case), SPACE)
    assert found.case == LEAST
    assert "dilation" in found.free


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
    explain(shrink_by_hypothesis(BIG, trials, SPACE), trials, SPACE)
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
    token = "v1,x=1x2x1x1,out=2,k=1,g=2,bias=false"
    expected = shrunk("groups > 1 and kernel_w > 1"), free("groups > 1", token)
    settings.register_profile("changed", profile)
    settings.load_profile("changed")
    try:
        assert (shrunk("groups > 1 and kernel_w > 1"), free("groups > 1", token)) == expected
    finally:
        settings.load_profile(before)


SCRIPT = """
import sys
{imports}
import test_hypothesis_shrinking as tests
found, tried = tests.shrunk("groups > 1 and kernel_w > 1 and output_h > 2")
print(found.token, tried, tests.free("groups > 1", found.token))
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
