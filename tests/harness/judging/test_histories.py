import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from itertools import count
from typing import ClassVar

import pytest

from altered import Altered, CachingByContents, off_by
from convcheck import Status
from convcheck.defects import defect
from convcheck.execution import InProcessCandidate, WorkerStartError
from convcheck.judging.histories import histories, judge_histories
from convcheck.judging.playing import NOT_THREAD_SAFE, play
from convcheck.model.calls import Hung
from convcheck.model.history import has_threads
from convcheck.model.origins import Origin
from convcheck_backends import NumpyBackend, TorchCpu
from racing import SharedWorkspace

NONE = ["stride-exchanged", "first-call-wrong", "weight-scaled-in-place"]
"""Defects that one call shows."""

FOUND = {
    "weight-kept-by-shape": 2,
    "bias-kept-by-channels": 2,
    "plan-kept-by-shape": 2,
    "result-buffer-not-cleared": 2,
    "grad-weight-not-cleared": 2,
    "result-kept-by-address": 2,
    "right-while-warming-up": 11,
}
"""Defects of state, and the least number of calls that show each."""


class AfterFiveCalls(NumpyBackend):
    """Wrong in the first layer again, after another weight in it, another stride, and another image size, in order."""

    def __init__(self):
        self.stages = []

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        layer, stages = (x.shape, weight.shape, params), self.stages
        if len(stages) == 4 and layer == stages[0][0]:
            return right + right.dtype.type(1)
        follows = (
            lambda: True,
            lambda: layer == stages[0][0] and weight.tobytes() != stages[0][1],
            lambda: layer[:2] == stages[0][0][:2] and params.stride != stages[0][0][2].stride,
            lambda: x.shape != stages[0][0][0],
        )
        if len(stages) < 4 and follows[len(stages)]():
            stages.append((layer, weight.tobytes()))
        return right


def run(make, size=50, seed=0, **options):
    return histories(InProcessCandidate(make), seed=seed, number=0, size=size, **options)


def test_a_state_of_five_calls_is_found_and_shrunk_to_them():
    found = run(AfterFiveCalls, size=100, seed=3).failing
    assert found.repeats
    assert len(found.history) == 5
    first, reweighted, strided, resized, again = found.history
    assert first.case.params == reweighted.case.params == again.case.params
    assert first.weight != reweighted.weight or first.case.dtype != reweighted.case.dtype
    assert strided.case.params.stride != first.case.params.stride
    assert resized.case.input_shape != first.case.input_shape == again.case.input_shape
    assert found.verdict.quantity == "output"
    assert found.verdict.clauses == ("C2D-PURE-4",)


@pytest.mark.parametrize("name", sorted(FOUND))
def test_a_defect_of_state_is_found_and_shrunk_to_its_least_steps(name):
    found = run(defect(name).backend).failing
    assert found.repeats
    assert found.verdict.status is Status.FAIL
    assert len(found.history) == FOUND[name]


@pytest.mark.parametrize("make", [NumpyBackend, CachingByContents])
def test_legal_implementations_pass(make):
    found = run(make, size=30)
    assert found.failing is None
    assert found.ran == found.passed >= 30


@pytest.mark.parametrize("name", NONE)
def test_what_one_call_shows_is_left_to_others(name):
    found = run(defect(name).backend, size=20)
    assert found.failing is None
    assert found.passed + found.vacuous + found.ended == found.ran


def test_nothing_is_printed(capsys):
    run(defect("weight-kept-by-shape").backend, size=10)
    assert capsys.readouterr() == ("", "")


def test_a_failure_that_comes_once_is_found_and_said_not_to_repeat():
    class Once(NumpyBackend):
        calls = count(1)

        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            return off_by(1)(output) if next(self.calls) == 30 and output.size else output

    found = run(Once, seed=1)
    assert found.failing.verdict.quantity == "output"
    assert not found.failing.repeats
    assert found.ran < 50


class Stopping(InProcessCandidate):
    def __init__(self, error, make=NumpyBackend, after=30):
        self.error, self.left = error, after
        super().__init__(make)

    def call(self, call):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().call(call)


class HangingWhereItGrows(InProcessCandidate):
    """Gives no result of an image wider than the one before; counts these."""

    hung, width = 0, 0

    def restart(self):
        super().restart()
        self.width = 0

    def call(self, call):
        before, self.width = self.width, call.tensors["x"].values.shape[-1]
        if 0 < before < self.width:
            self.hung += 1
            return Hung(60.0)
        return super().call(call)


def test_a_history_that_hangs_is_waited_for_only_to_repeat_it():
    candidate = HangingWhereItGrows(NumpyBackend)
    found = histories(candidate, seed=5, number=0, size=20).failing
    assert (found.verdict.quantity, found.verdict.status) == ("call", Status.HUNG)
    assert found.repeats
    assert candidate.hung == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt(), WorkerStartError("no worker was ready")], ids=repr)
@pytest.mark.parametrize("after", [0, 30, 60])
def test_what_stops_the_candidate_comes_out_as_it_is(error, after):
    make = defect("weight-kept-by-shape").backend if after == 60 else NumpyBackend
    with pytest.raises(type(error)) as raised:
        histories(Stopping(error, make, after), seed=0, number=0, size=20)
    assert raised.value is error


def test_other_blocks_and_seeds_have_other_histories():
    def layers(seed, number):
        asked = []

        class Noting(NumpyBackend):
            def conv2d(self, x, weight, bias, params):
                asked.append((x.shape, params))
                return super().conv2d(x, weight, bias, params)

        histories(InProcessCandidate(Noting), seed=seed, number=number, size=4)
        return Counter(asked)  # which of several threads comes first is the system's choice

    assert layers(0, 0) == layers(0, 0)
    assert layers(0, 0) not in (layers(0, 1), layers(1, 0))
    assert layers(0, 1) != layers(1, 0)


def test_only_the_dtypes_that_are_asked_for_are_called():
    asked = set()

    class Noting(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            asked.add(x.dtype.name)
            return super().conv2d(x, weight, bias, params)

    run(Noting, size=8, dtypes=("float64", "bfloat16"))
    assert asked == {"float64", "bfloat16"}


def test_a_block_that_passes_is_counted_as_histories_and_not_as_cases():
    tally = judge_histories(InProcessCandidate(NumpyBackend), 0, run_seed=0, number=2, size=5)
    assert (tally.cases, tally.failures) == (0, [])
    assert tally.origins[Origin.HISTORY] == tally.counts["C2D-PURE-4", Status.PASS, ""] >= 5
    assert tally.seconds["judging"] > 0


def test_a_failing_history_is_a_failure_of_its_last_case():
    candidate = InProcessCandidate(defect("weight-kept-by-shape").backend)
    tally = judge_histories(candidate, 0, run_seed=0, number=2, size=20)
    (found,) = tally.failures
    assert found.block == 0
    assert found.position == tally.origins[Origin.HISTORY] - 1
    assert found.case == found.history[-1].case
    assert found.verdict.oracle == "state"
    assert play(candidate, found.history).failure == found.verdict


def test_another_clause_is_not_about_histories():
    candidate = InProcessCandidate(lambda: Altered(output=off_by(1)))
    assert judge_histories(candidate, 0, run_seed=0, number=0, size=5, clause="C2D-PAD-1").origins == {}
    assert judge_histories(candidate, 0, run_seed=0, number=0, size=5, clause="C2D-PURE-4").origins[Origin.HISTORY] >= 5


IN_A_PROCESS = """
import sys
for module in sys.argv[1:]:
    __import__(module)
from convcheck.execution import InProcessCandidate
from convcheck.judging import histories, playing
from convcheck.defects import defect
from convcheck.model.history import write
from convcheck_backends import NumpyBackend

def called(self, step, make=playing.Playing.make):
    print(step)
    return make(self, step)

playing.Playing.make = called
histories.histories(InProcessCandidate(NumpyBackend), seed=3, number=1, size=10)
candidate = InProcessCandidate(defect("plan-kept-by-shape").backend)
print(write(histories.histories(candidate, seed=3, number=1, size=50).failing.history))
"""


def test_the_same_seed_gives_the_same_histories_whatever_else_is_loaded(tmp_path):
    """A local module's constants are what Hypothesis' own provider mixes into its choices."""
    (tmp_path / "constants.py").write_text("NUMBERS = [101, 127, 137, 201, 254, 1234567, 65537, 3.75, 'a string']\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}

    def lines(*modules):
        command = [sys.executable, "-c", IN_A_PROCESS, *modules]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    plain = lines()
    assert plain.count("\n") > 200
    assert lines("constants", "torch", "convcheck.evaluation.variants") == plain


class Impatient(SharedWorkspace):
    """Overlaps wherever two threads call at the same time, and goes on soon where a third has nobody to meet."""

    patience = 0.05


def test_a_race_is_found_and_shrunk_to_two_threads():
    found = run(Impatient, seed=2).failing
    (step,) = found.history
    assert len(step.calls) == 2
    assert found.verdict.clauses == ("C2D-PURE-4",)
    assert found.verdict.reason.startswith("in one of 2 calls from as many threads at once, and right where it is")


def test_a_race_that_comes_once_is_found_and_said_not_to_repeat():
    class Once(NumpyBackend):
        left = count(-5)

        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            threaded = threading.current_thread() is not threading.main_thread()
            return off_by(1)(output) if threaded and output.size and next(self.left) == 0 else output

    found = run(Once).failing
    assert has_threads(found.history)
    assert not found.repeats


@pytest.mark.parametrize("seed", range(3))
def test_torch_passes_from_several_threads(seed):
    assert run(TorchCpu, size=8, seed=seed).failing is None


@pytest.mark.parametrize("thread_safe", [True, False])
def test_threads_are_for_those_who_declare_to_be_safe_and_counted_otherwise(thread_safe):
    class Noting(NumpyBackend):
        capabilities = replace(NumpyBackend.capabilities, thread_safe=thread_safe)
        threads: ClassVar = set()

        def conv2d(self, x, weight, bias, params):
            self.threads.add(threading.current_thread() is threading.main_thread())
            return super().conv2d(x, weight, bias, params)

    tally = judge_histories(InProcessCandidate(Noting), 0, run_seed=0, number=0, size=5)
    assert Noting.threads == ({True, False} if thread_safe else {True})
    not_applicable = tally.counts["C2D-PURE-4", Status.NOT_APPLICABLE, NOT_THREAD_SAFE]
    assert not_applicable == (0 if thread_safe else tally.origins[Origin.HISTORY])
    assert tally.counts["C2D-PURE-4", Status.PASS, ""] == tally.origins[Origin.HISTORY]
