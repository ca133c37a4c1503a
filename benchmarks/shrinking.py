"""What each way of shrinking adds: defects of the library as candidates, each from its first failing legal case.

Three ways with the same bound on the cases that are tried: steps of our own alone, Hypothesis alone, and both as the
triage does it, without and with the explanation. A way is smallest where none of the others gave a case that is less
complex.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/shrinking.py --workers 2 [part of a name…]
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean, median

from tabulate import tabulate

from convcheck.defects import DEFECTS, Defect
from convcheck.evaluation.certification import in_order
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.token import read
from convcheck.strategies.plain import PlainSpace
from convcheck.triage.complexity import complexity
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.findings import HARMLESS
from convcheck.triage.hypothesis_shrinking import shrink_by_hypothesis
from convcheck.triage.probe import Budget, Probe
from convcheck.triage.shrink import MOST_TRIALS, shrink
from convcheck.triage.smallest_case import shrunk
from convcheck.triage.state_dependence import depends_on_state
from convcheck.triage.trials import Trials

HEADERS = (
    "way", "defects", "smallest", "multiply-adds", "token", "away from default", "sum of numbers", "tried", "seconds",
    "free",
)  # fmt: skip

Way = Callable[[Case, Trials, PlainSpace], tuple[Case, int]]
"""From a failing case to the smallest, and how many parameters of it are free."""


@dataclass(frozen=True)
class Result:
    """What one way made of one defect: the smallest case, the cases tried, seconds, and the free parameters."""

    token: str
    tried: int
    seconds: float
    free: int = 0


def own_steps(case: Case, trials: Trials, _: PlainSpace) -> tuple[Case, int]:
    """Steps of our own alone."""
    return shrink(case, trials.fails, MOST_TRIALS), 0


def hypothesis(case: Case, trials: Trials, space: PlainSpace) -> tuple[Case, int]:
    """Hypothesis alone."""
    return shrink_by_hypothesis(case, trials, space.with_sparse_data()), 0


def both(case: Case, trials: Trials, space: PlainSpace) -> tuple[Case, int]:
    """As the triage does it."""
    found = shrunk(case, trials.fails, space)
    return found.case, len(found.free)


WAYS: dict[str, Way] = {"own steps": own_steps, "Hypothesis": hypothesis, "both": both}


def evaluate(defect: Defect, *, examples: int, seed: int) -> dict[str, Result]:
    """What each way makes of a defect; nothing if no legal case of the campaign fails."""
    candidate = InProcessCandidate(defect.backend)
    first = _first_failure(candidate, examples, seed)
    if first is None:
        return {}
    signature, found = FailureSignature.of(first.verdict), {}
    for name, way in WAYS.items():
        probe = Probe(InProcessCandidate(defect.backend), budget=Budget(10**9))
        own = probe.restarting() if depends_on_state(probe, first.case, signature) else probe
        trials = Trials(first.case, lambda case, own=own: own.failing(case, signature) is not None, MOST_TRIALS)
        start = time.perf_counter()
        case, free = way(first.case, trials, PlainSpace.of(candidate.capabilities))
        found[name] = Result(case.token, trials.tried, time.perf_counter() - start, free)
    return found


def _first_failure(candidate: InProcessCandidate, examples: int, seed: int) -> Failure | None:
    for case in generate(candidate.capabilities, run_seed=seed, block=0, size=examples):
        failures = judge_block(candidate, (case,), 0).failures
        if failures and case.violation is None:
            return failures[0]
    return None


def row(name: str, found: Sequence[dict[str, Result]]) -> tuple[str, ...]:
    """One way over all defects; sizes as median and mean."""
    cases = [read(results[name].token) for results in found]
    results = [some[name] for some in found]
    sizes = [complexity(case) for case in cases]
    smallest = [min(complexity(read(result.token)) for result in some.values()) for some in found]
    return (
        name,
        str(len(found)),
        str(sum(size == least for size, least in zip(sizes, smallest, strict=True))),
        both_averages([case.params.multiply_adds(case.input_shape) for case in cases]),
        both_averages([len(case.token) for case in cases]),
        both_averages([size[0] for size in sizes]),
        both_averages([size[1] for size in sizes]),
        both_averages([result.tried for result in results]),
        f"{mean(result.seconds for result in results):.2f}",
        both_averages([result.free for result in results]),
    )


def both_averages(values: Sequence[int]) -> str:
    """Median and mean."""
    return f"{median(values):g} / {mean(values):.1f}"


def main() -> None:
    """Print a line for each defect in which the ways differ, and the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="only defects whose name contains one of these")
    parser.add_argument("--every", type=int, default=1, help="only each n-th defect")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--examples", type=int, default=250, help="cases among which one that fails is looked for")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chosen = [d for d in HARMLESS if not options.words or any(word in d.name for word in options.words)]
    chosen = chosen[:: options.every]
    found = []
    one = partial(evaluate, examples=options.examples, seed=options.seed)
    for defect, results in zip(chosen, in_order(one, chosen, options.workers), strict=True):
        if results:
            found.append(results)
        if len({result.token for result in results.values()}) != 1:
            print(defect.name, *(f"  {name}: {r.token} ({r.tried})" for name, r in results.items()), sep="\n")
    print(tabulate([row(name, found) for name in WAYS], headers=HEADERS, disable_numparse=True))
    print(f"{len(chosen) - len(found)} of {len(chosen)} defects fail in no legal case here;", end=" ")
    print(f"{len(DEFECTS) - len(HARMLESS)} end or block their process and are not run.")


if __name__ == "__main__":
    main()
