"""How many complete verdicts a second one core gives, and which share of the time is convcheck's own.

A complete verdict is one case judged in full: exact integers and bounded reals, for the output and the three
gradients. The candidate and the reference are timed on the same cases in the same run, so that the share is
a ratio of times taken side by side.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/verdicts.py --backend torch-cpu
"""

import argparse
import statistics
import time

from tabulate import tabulate

from convcheck import Backend, load
from convcheck.execution import Host, IsolatedCandidate
from convcheck.execution.judging import judge_case
from convcheck.oracles import ORACLES
from convcheck.oracles.expected import Expected
from convcheck.oracles.trial import Trial
from convcheck.profiles import QUANTITIES
from convcheck.strategies import generate

SMALL = 30_000
"""Multiply-adds of one forward pass up to which a shape is small."""

CORE = tuple(oracle for oracle in ORACLES if oracle.every == 1)


class Timed(Backend):
    """A backend that adds up the time spent in it."""

    name = "timed"

    def __init__(self, inner):
        self.inner, self.seconds = inner, 0.0
        self.capabilities = inner.capabilities
        self.to_native, self.to_numpy = inner.to_native, inner.to_numpy

    def conv2d(self, *arguments):
        return self._timed(self.inner.conv2d, arguments)

    def conv2d_backward(self, *arguments):
        return self._timed(self.inner.conv2d_backward, arguments)

    def _timed(self, function, arguments):
        start = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self.seconds += time.perf_counter() - start


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


def reference(drawn, capabilities):
    """Seconds of the reference alone: both regimes, four quantities, with the gauge of the reals."""
    trials = [Trial(case, capabilities) for case in drawn]
    values = [(t, t.integers, t.reals) for t in trials]
    start = time.perf_counter()
    for trial, integers, reals in values:
        exact, real = Expected(trial.case, integers), Expected(trial.case, reals)
        for quantity in QUANTITIES:
            _ = exact.sum(quantity).value, real.sum(quantity).value, real.sum(quantity).gauge
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--backend", default="torch-cpu")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    timed = Timed(load(options.backend))
    host = Host(lambda: timed)
    drawn = small_cases(timed.capabilities, options.cases, options.seed)
    isolated = IsolatedCandidate(options.backend)
    judged(host, drawn), judged(isolated, drawn)  # warm up
    rows = []
    for _ in range(options.rounds):
        timed.seconds = 0.0
        total = judged(host, drawn)
        candidate, other = timed.seconds, reference(drawn, timed.capabilities)
        apart = judged(isolated, drawn)
        rows.append((len(drawn) / total, len(drawn) / apart, candidate / total, other / total))
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
