"""The memory of a campaign over a million cases: what real parts came to, gathered again and again.

    pip install 'convcheck[plot]'
    python benchmarks/memory.py --cases 1000000 [--plot memory.svg]

Parts of a right and of a wrong kernel are judged once; their tallies, copied as a judging process would send them, are
then gathered until there are so many cases. The resident memory of this process is read as that goes on.
"""

from __future__ import annotations

import argparse
import pickle
from concurrent.futures import ProcessPoolExecutor
from itertools import count, cycle, takewhile
from pathlib import Path

from pictures import draw_lines
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


def grown(name, cases):
    """By number of cases what the resident memory of this process has grown by, in MB; and how many cases failed."""
    kernel = KERNELS[name]
    gathered, steps, before = Gathered(kernel, Known(())), [], None
    for pickled, _ in cycle(parts(kernel)):
        gathered.add(pickle.loads(pickled))
        done = gathered.tally.cases
        if not steps or done >= 1.25 * steps[-1][0] or done >= cases:
            before = resident() if before is None else before
            steps.append((done, resident() - before))
        if done >= cases:
            break
    return steps, gathered.failing


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    rows, lines = [], {}
    marks = [min(least, options.cases) for least in (10_000, 100_000, options.cases)]
    # a process each: what one has let go of, the next would take again
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as fresh:
        for name in KERNELS:
            steps, failing = fresh.submit(grown, name, options.cases).result()
            at = [next(mb for cases, mb in steps if cases >= mark) for mark in marks]
            rows.append([name, f"{steps[-1][0]:,}", f"{failing:,}", *(f"{mb:+.0f}" for mb in at)])
            lines[name] = steps
    headers = ["kernel", "cases", "failing", "MB at 10,000", "at 100,000", "at the end"]
    print(tabulate(rows, headers, disable_numparse=True))
    if options.plot:
        labels = {"xlabel": "cases", "ylabel": "growth of resident memory, MB"}
        draw_lines(lines, options.plot, ylim=(-5, 50), **labels)


if __name__ == "__main__":
    main()
