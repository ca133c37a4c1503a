from itertools import count

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.defects import defect
from convcheck.model.token import read
from convcheck.strategies.plain import PlainSpace
from convcheck.triage.causes import ATTEMPTS
from convcheck.triage.complexity import complexity
from convcheck.triage.probe import Budget
from convcheck.triage.shrink import shrink
from convcheck.triage.smallest_case import failing_by_itself, shrunk, smallest_case
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams
from stand_ins import IMPRECISE, OUTPUT, failure
from stand_ins import probe_of as probing

SMALL, MIDDLE, LARGE = (f"v1,x=1x4x{size}x{size},out=4,k=2,g=2,seed=5" for size in (4, 6, 8))
STRIDED = "v1,x=1x4x5x6,out=4,k=2,s=2"


class Scripted(NumpyBackend):
    """Wrong where `wrong(params, calls, strided)` says so, from its calls so far and whether one had a stride."""

    capabilities = Capabilities()

    def __init__(self, wrong):
        self._wrong, self._calls, self._strided = wrong, 0, False

    def conv2d(self, x, weight, bias, params):
        params = Conv2dParams.of(params.arguments)
        self._calls += 1
        output = super().conv2d(x, weight, bias, params) + np.float32(self._wrong(params, self._calls, self._strided))
        self._strided |= params.stride != (1, 1)
        return output


def grouped(params, *_):
    return params.groups > 1


def after_a_stride(params, _calls, strided):
    return params.groups > 1 and strided


def after_a_call(params, calls, _strided):
    return params.groups > 1 and calls > 1


def made(wrong, *tokens, **options):
    return probing(lambda: Scripted(wrong), **options), [failure(token, position=at) for at, token in enumerate(tokens)]


def found(probe, failures, signature=OUTPUT, block=()):
    first = failing_by_itself(probe, signature, failures)
    return smallest_case(
        probe, probe.restarting(), signature, failures, first, lambda _: [read(token) for token in block]
    )


def test_one_of_the_simplest_that_repeats_on_a_fresh_candidate_is_taken():
    probe, failures = made(grouped, LARGE, MIDDLE, SMALL)
    assert failing_by_itself(probe, OUTPUT, failures) is failures[2]
    probe, failures = made(
        lambda params, *_: params.groups > 1 and params.kernel_size == (2, 2), LARGE, SMALL.replace("k=2", "k=1")
    )
    assert failing_by_itself(probe, OUTPUT, failures) is failures[0]


def test_nothing_fails_by_itself_where_an_earlier_case_has_to_run():
    probe, failures = made(after_a_stride, LARGE, SMALL)
    probe.failing(read(STRIDED), OUTPUT)
    assert probe.failing(read(SMALL), OUTPUT)
    assert failing_by_itself(probe, OUTPUT, failures) is None


def test_few_failures_are_looked_at_each_on_a_fresh_candidate():
    probe, failures = made(lambda *_: False, *(f"v1,x=1x4x5x{width},out=4,k=2,g=2" for width in range(5, 40)))
    assert failing_by_itself(probe, OUTPUT, failures) is None
    assert probe.candidate.restarts == probe.candidate.calls == 5


def test_the_smallest_case_fails_likewise_and_every_time():
    probe, failures = made(grouped, LARGE)
    smallest = found(probe, failures)
    assert smallest.first is failures[0]
    assert smallest.case == read("v1,x=1x2x1x1,out=2,k=1,g=2,bias=false,nonzeros=1")
    assert smallest.verdict.evidence.total == 2  # of the smallest case, not of the first
    assert (smallest.reproduced, smallest.setup_cases, smallest.state_dependent) == (ATTEMPTS, (), False)
    assert smallest.steady


def test_a_failure_that_needs_a_call_of_its_own_case_is_shrunk_on_fresh_candidates():
    probe, failures = made(after_a_call, LARGE)
    smallest = found(probe, failures, IMPRECISE)
    assert smallest.state_dependent
    assert smallest.steady
    assert smallest.case.input_shape == (1, 2, 1, 1)


def test_a_failure_that_needs_an_earlier_case_is_not_shrunk_but_has_its_setup():
    block = ["v1,x=1x4x5x6,out=4,k=2", STRIDED, "v1,x=1x4x5x7,out=4,k=2"]
    probe, _ = made(after_a_stride)
    failures = [failure(LARGE, position=3)]
    smallest = found(probe, failures, block=[*block, LARGE])
    assert smallest.case == read(LARGE)
    assert [case.token for case in smallest.setup_cases] == [STRIDED]
    assert smallest.reproduced == ATTEMPTS
    assert not smallest.steady


def test_what_never_fails_again_says_so_and_keeps_its_verdict():
    probe, failures = made(lambda *_: False, LARGE)
    smallest = found(probe, failures, block=[LARGE])
    assert (smallest.case, smallest.verdict) == (failures[0].case, failures[0].verdict)
    assert (smallest.reproduced, smallest.setup_cases) == (0, ())


def test_what_fails_now_and_then_says_how_often_it_did():
    runs = count()

    class Sometimes(Scripted):
        """Wrong on the first candidate and then on two of three."""

        def __init__(self):
            number = next(runs)
            super().__init__(lambda *_: number < 2 or number % 3 != 0)

    smallest = found(probing(Sometimes), [failure("v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1")])
    assert smallest.reproduced == 2
    assert not smallest.steady


def test_how_often_a_case_repeats_is_known_though_no_calls_are_left():
    probe, failures = made(grouped, LARGE, budget=Budget(0))
    smallest = smallest_case(probe, probe.restarting(), OUTPUT, failures, failures[0], lambda _: [])
    assert smallest.case == read(LARGE)
    assert smallest.reproduced == ATTEMPTS
    assert probe.calls_left == 0


def test_how_often_a_case_repeats_is_known_though_the_time_is_up():
    probe, failures = made(grouped, LARGE, budget=Budget(500, until=5.0, clock=count().__next__))
    smallest = smallest_case(probe, probe.restarting(), OUTPUT, failures, failures[0], lambda _: [])
    assert smallest.reproduced == ATTEMPTS
    assert not smallest.state_dependent
    assert probe.calls_left == 0


def test_repetitions_are_paid_for_where_calls_are_left():
    probe, failures = made(grouped, SMALL, budget=Budget(2000))
    found(probe, failures)
    assert probe.calls_left <= 2000 - probe.candidate.calls


def test_what_shrinking_asked_where_state_decides_is_not_asked_again():
    probe, failures = made(after_a_call, SMALL)
    each_fresh = probe.restarting()
    smallest = smallest_case(probe, each_fresh, IMPRECISE, failures, failures[0], lambda _: [])
    assert smallest.state_dependent
    left = probe.calls_left
    assert each_fresh.failing(smallest.case, IMPRECISE) is not None
    assert probe.calls_left == left


def test_half_of_the_calls_that_are_left_stay_for_the_explanation():
    def shrunk(calls):
        probe, failures = made(grouped, LARGE, budget=Budget(calls))
        smallest_case(probe, probe.restarting(), OUTPUT, failures, failures[0], lambda _: [])
        return probe.calls_left

    unhurried = 10_000 - shrunk(10_000)
    scarce = unhurried * 6 // 5
    assert shrunk(scarce) > 0.4 * scarce


def test_parameters_that_do_not_matter_are_said():
    probe, failures = made(grouped, LARGE)
    smallest = found(probe, failures)
    assert {"dilation", "stride", "kernel_size", "layout"} <= set(smallest.free)
    assert "groups" not in smallest.free


@pytest.mark.parametrize(
    ("name", "least", "free", "needed"),
    [
        (
            "stride-capped",
            "v1,x=1x1x1x5,out=1,k=1,s=1x4,bias=false,nonzeros=1",
            {"dilation", "groups", "stride_h", "kernel_size", "in_channels"},
            {"stride", "stride_w", "width", "input size"},
        ),
        (
            "shared-last-channel",
            "v1,x=1x6x1x1,out=2,k=1,g=2,bias=false,nonzeros=1,seed=2",
            {"dilation", "stride", "padding", "out_channels"},
            {"groups", "in_channels"},
        ),
    ],
)
def test_a_defect_of_the_library_at_its_least_case(name, least, free, needed):
    case = "v1,x=3x8x19x22,out=8,k=3x2,s=4x5,p=1,d=1x2,g=2,seed=70000"
    probe, failures = probing(defect(name).backend), [failure(case)]
    smallest = found(probe, failures)
    assert smallest.case == read(least)
    assert free <= set(smallest.free)
    assert not needed & set(smallest.free)


def test_where_few_calls_are_left_no_parameters_are_looked_at():
    probe, failures = made(grouped, LARGE, budget=Budget(200))
    smallest = found(probe, failures)
    assert smallest.case.input_shape == (1, 2, 1, 1)
    assert smallest.free == ()


def test_of_what_needs_other_cases_no_parameters_are_said():
    block = [STRIDED, LARGE]
    probe, _ = made(after_a_stride)
    assert found(probe, [failure(LARGE, position=1)], block=block).free == ()


SPACE = PlainSpace.of(Capabilities())
DENSE = "v1,x=3x8x11x12,out=8,k=3x2,s=2x1,p=1,d=1x2,g=2,seed=70000"
CONDITIONS = {
    "groups": lambda case: case.params.groups > 1 and case.params.stride[0] > 1,
    "sizes that only fall together": lambda case: len({*case.input_shape[1:3], case.params.out_channels}) == 1,
    "data": lambda case: case.seed % 7 == 0 and case.nonzeros is None and case.params.kernel_size[0] > 1,
}


@pytest.mark.parametrize("fails", CONDITIONS.values(), ids=CONDITIONS.keys())
@pytest.mark.parametrize("most", [3, 20, 60, 300])
def test_both_ways_of_shrinking_give_no_larger_case_than_own_steps_and_keep_the_bound(fails, most):
    asked = []

    def still_fails(case):
        asked.append(case.token)
        return fails(case)

    case = read(DENSE if fails(read(DENSE)) else "v1,x=3x8x8x12,out=8,k=3x2,s=2x1,p=1,d=1x2,g=2,seed=70000")
    assert fails(case)
    own = shrink(case, fails, most)
    smallest = shrunk(case, still_fails, SPACE, most).case
    assert len(asked) == len(set(asked)) <= most
    assert fails(smallest)
    assert complexity(smallest) <= complexity(own)


def test_hypothesis_finds_what_own_steps_do_not():
    fails = CONDITIONS["sizes that only fall together"]
    case = read("v1,x=3x8x8x12,out=8,k=3x2,s=2x1,p=1,d=1x2,g=2,seed=70000")
    assert complexity(shrunk(case, fails, SPACE).case) < complexity(shrink(case, fails))


def test_an_illegal_case_is_shrunk_by_own_steps_alone():
    case = read("v1,x=3x8x9x9,out=8,k=3,s=0,p=1,g=2")

    def fails(tried):
        return type(tried.violation) is type(case.violation)

    smallest = shrunk(case, fails, SPACE)
    assert (smallest.case, smallest.free) == (shrink(case, fails), ())
