"""What each oracle takes of the CPU that judging takes, with the candidate in this process.

    OMP_NUM_THREADS=1 python benchmarks/oracle_costs.py

Cases are those of a run, each with the oracles that are due in one; its far layers and its search are left out. "data
and judging" is ours, what the reference computes for it included; "calls" are made for this oracle alone, and take the
way of their tensors there and back. What several oracles need is counted for the first that asks.
"""

import argparse
import time
from collections import Counter

from tabulate import tabulate

from convcheck import load
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.oracles import Trial, due, extra_calls, judge

PLAIN = "(data and calls of every case)"


class Costs:
    """Seconds of CPU by oracle: of data and judging, and of calls.

    Args:
        candidate: it is called.
    """

    def __init__(self, candidate):
        self._candidate = candidate
        self.ours, self.calls, self.asked, self.made = Counter(), Counter(), Counter(), Counter()

    def judge(self, case):
        """Judge a case, oracle by oracle."""
        trial, oracles = Trial(case, self._candidate.capabilities), due(case)
        outcomes = self._called(PLAIN, lambda: trial.calls)
        for oracle in oracles:
            outcomes |= self._called(oracle.name, lambda oracle=oracle: extra_calls(trial, (oracle,)))
        trial = trial.with_outcomes(outcomes)
        for oracle in oracles:
            self._timed(self.ours, oracle.name, lambda oracle=oracle: judge(trial, (oracle,)))

    def _called(self, name, ask):
        calls = self._timed(self.ours, name, ask)
        if not calls:
            return {}
        self.asked[name] += 1
        self.made[name] += sum(call.times for call in calls.values())
        outcomes = self._timed(self.calls, name, lambda: self._candidate.call_all(tuple(calls.values())))
        return dict(zip(calls, outcomes, strict=True))

    def _timed(self, seconds, name, run):
        begun = time.process_time()
        found = run()
        seconds[name] += time.process_time() - begun
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", default="torch-cpu")
    parser.add_argument("--blocks", type=int, default=2, help="of 250 cases")
    options = parser.parse_args()
    backend = load(options.backend)
    candidate = InProcessCandidate(lambda: backend)
    drawn = [generate(backend.capabilities, run_seed=0, block=block, size=250) for block in range(options.blocks)]
    cases = [case for block in drawn for case in block if not backend.capabilities.unsupported(case)]
    for _ in ("to warm", "to measure"):
        costs = Costs(candidate)
        for case in cases:
            costs.judge(case)
    total = costs.ours.total() + costs.calls.total()
    rows = [
        [
            name,
            costs.asked[name],
            costs.made[name],
            *(f"{seconds[name] / total:.1%}" for seconds in (costs.ours, costs.calls)),
        ]
        for name, _ in (costs.ours + costs.calls).most_common()
    ]
    headers = [
        f"{len(cases)} cases, {1000 * total / len(cases):.1f} ms each",
        "asked in",
        "calls",
        "data and judging",
        "calls",
    ]
    print(tabulate(rows, headers, disable_numparse=True))


if __name__ == "__main__":
    main()
