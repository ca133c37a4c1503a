"""How many complete verdicts a second one core gives, and which share of the time is convcheck's own.

A complete verdict is one case judged in full: exact integers and bounded reals, for the output and the three
gradients. The candidate and the reference are timed where they are called, so that the shares are
ratios of times taken in one run.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/verdicts.py --backend torch-cpu
"""

import argparse
import statistics
import time
from contextlib import contextmanager
from functools import cached_property, wraps
from unittest.mock import patch

from tabulate import tabulate

from convcheck import Backend, load
from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_case
from convcheck.oracles import ORACLES
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.sums import Sum

SMALL = 30_000
"""Multiply-adds of one forward pass up to which a shape is small."""

CORE = tuple(oracle for oracle in ORACLES if oracle.every == 1)


class Clock:
    """Adds up the time spent in some functions, none of which calls another."""

    def __init__(self):
        self.seconds = 0.0

    def timed(self, function):
        """The function, timed."""

        @wraps(function)
        def timed(*arguments):
            start = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


class Timed(Backend):
    """A backend whose time a clock takes."""

    name = "timed"

    def __init__(self, inner, clock):
        self.capabilities = inner.capabilities
        self.to_native, self.to_numpy = inner.to_native, inner.to_numpy
        self._forward, self._backward = clock.timed(inner.conv2d), clock.timed(inner.conv2d_backward)

    def conv2d(self, *arguments):
        return self._forward(*arguments)

    def conv2d_backward(self, *arguments):
        return self._backward(*arguments)


@contextmanager
def reference_timed(clock):
    """Within, the clock takes the time in which the reference computes results and gauges."""
    gauge = cached_property(clock.timed(Sum.gauge.func))
    gauge.__set_name__(Sum, "gauge")
    with patch.object(Expected, "sum", clock.timed(Expected.sum)), patch.object(Sum, "gauge", gauge):
        yield


def small_cases(capabilities, count, seed):
    """Legal calls on small shapes, as the campaign draws them, on finite data."""
    found, block = [], 0
    while len(found) < count:
        drawn = generate(capabilities, run_seed=seed, block=block, size=250)
        found += [c for c in drawn if c.violation is None and c.entry == "function" and c.regime != "special"]
        found = [c for c in found if c.params.multiply_adds(c.input_shape) <= SMALL]
        block += 1
    return found[:count]


def judged(candidate, drawn):
    """Seconds to judge the cases in full."""
    start = time.perf_counter()
    for case in drawn:
        judge_case(candidate, case, CORE)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--backend", default="torch-cpu")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    in_candidate, in_reference = Clock(), Clock()
    timed = Timed(load(options.backend), in_candidate)
    host = InProcessCandidate(lambda: timed)
    drawn = small_cases(timed.capabilities, options.cases, options.seed)
    isolated = SubprocessCandidate(options.backend)
    judged(host, drawn), judged(isolated, drawn)  # warm up
    rows = []
    for _ in range(options.rounds):
        in_candidate.seconds = in_reference.seconds = 0.0
        with reference_timed(in_reference):
            total = judged(host, drawn)
        shares = in_candidate.seconds / total, in_reference.seconds / total
        rows.append((len(drawn) / judged(host, drawn), len(drawn) / judged(isolated, drawn), *shares))
    isolated.close()
    in_process, in_worker, candidate, other = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        tabulate(
            [
                ("complete verdicts per second, candidate in this process", f"{in_process:.0f}"),
                ("complete verdicts per second, candidate in a worker", f"{in_worker:.0f}"),
                ("share of time in the candidate", f"{candidate:.0%}"),
                ("share of time in the reference", f"{other:.0%}"),
                ("share of time elsewhere", f"{1 - candidate - other:.0%}"),
            ],
            headers=[f"{options.backend}, {len(drawn)} small cases", f"median of {options.rounds}"],
        )
    )


if __name__ == "__main__":
    main()
