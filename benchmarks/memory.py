"""The memory of a campaign over a million cases: what real parts came to, gathered again and again.

    python benchmarks/memory.py --cases 1000000 [--plot memory.svg]

Parts of a right and of a wrong kernel are judged once; their tallies, copied as a judging process would send them, are
then gathered until there are so many cases. The resident memory of this process is read as that goes on.
"""

from __future__ import annotations

import argparse
import pickle
from itertools import count, cycle, takewhile
from pathlib import Path

from tabulate import tabulate

from convcheck.campaign.gathering import Gathered
from convcheck.campaign.job import Job
from convcheck.campaign.known_failures import Known
from convcheck.campaign.options import Options

KERNELS = {
    "right": "numpy",
    "failing": "convcheck.defects:group-outputs-interleaved",
    "failing with long messages": "long",
}
LONG = "x" * 20_000


def resident():
    """Megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def parts(kernel):
    """Pickled tallies of the parts of 500 cases."""
    spec = KERNELS["failing"] if kernel == "long" else kernel
    job = Job(spec, Options(specs=(spec,), examples=500, in_process=True, dtypes=("float32",)))
    candidate = job.open()
    found = []
    for index in takewhile(job.part, count()):
        tally = job.judge(candidate, index)
        if kernel == "long":
            for number, failure in enumerate(tally.failures):
                object.__setattr__(failure.verdict, "reason", f"{index} {number} {LONG}")
        found.append((pickle.dumps(tally), tally.cases))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    rows, lines = [], {}
    for name, kernel in KERNELS.items():
        gathered, steps, before = Gathered(kernel, Known(())), [], None
        for pickled, _ in cycle(parts(kernel)):
            gathered.add(pickle.loads(pickled))
            if not steps or gathered.tally.cases >= 1.25 * steps[-1][0]:
                before = resident() if before is None else before
                steps.append((gathered.tally.cases, resident() - before))
            if gathered.tally.cases >= options.cases:
                break
        steps.append((gathered.tally.cases, resident() - before))
        lines[name] = steps
        grown = [next(mb for cases, mb in steps if cases >= least) for least in (10_000, 100_000, options.cases)]
        failing = f"{gathered.failing:,}"
        rows.append([name, f"{gathered.tally.cases:,}", failing, *(f"{mb:+.0f}" for mb in grown)])
    headers = ["kernel", "cases", "failing", "MB at 10,000", "at 100,000", "at the end"]
    print(tabulate(rows, headers, disable_numparse=True))
    if options.plot:
        import matplotlib.pyplot as plt  # noqa: PLC0415  (of the extra `plot`)

        for name, steps in lines.items():
            plt.plot(*zip(*steps, strict=True), label=name)
        plt.xscale("log")
        plt.xlabel("cases")
        plt.ylabel("growth of resident memory, MB")
        plt.legend()
        plt.savefig(options.plot)


if __name__ == "__main__":
    main()
