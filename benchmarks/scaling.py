"""How well many processes are kept busy, up to a thousand: measured where there are cores, simulated beyond.

    pip install 'convcheck[plot]'
    convcheck run --backend torch-cpu --examples 2000 --seed 0 --workers 1 --name scaling --database none
    python benchmarks/scaling.py reports/scaling/journal.jsonl --examples 10000 --examples 1000000 [--plot scaling.svg]

The journal says how long each part took. A run of so many cases is put together of such times, part by part in the
order of the run, and handed to processes by a clock: whoever is free takes the next part. That is simulated. What a
process needs to start is counted as well, for each of them at the same time.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import defaultdict
from itertools import count, takewhile
from pathlib import Path

from pictures import draw_lines
from tabulate import tabulate

from convcheck.campaign.past import Past
from convcheck.judging.parts import part_at

WORKERS = (1, 2, 7, 16, 64, 256, 1000)


def seconds_by_origin(journal):
    """Seconds for each case of every part of a run, by how the cases came about."""
    past, found = Past(journal), defaultdict(list)
    options = past.begun.options
    remembered = len(past.opened[0].remembered)
    for index in past.numbers(0):
        part = part_at(index, options.examples, remembered, ladder=options.reach)
        if part is not None and past.part(0, index).done:
            found[part.origin].append(sum(past.part(0, index).tally.seconds.values()) / part.size)
    return found


def makespan(lengths, workers, start_up):
    """When the last of the processes is done."""
    free = [start_up] * workers
    for length in lengths:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("journal", type=Path)
    parser.add_argument("--examples", type=int, action="append")
    parser.add_argument("--start-up", type=float, default=2.0, help="seconds until a process judges its first case")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    measured, rng, rows, lines = seconds_by_origin(options.journal), random.Random(0), [], {}
    for examples in options.examples or [10_000]:
        parts = list(takewhile(bool, (part_at(index, examples) for index in count())))
        lengths = [part.size * rng.choice(measured[part.origin]) for part in parts]
        alone, shares = sum(lengths), []
        for workers in WORKERS:
            share = alone / (workers * makespan(lengths, workers, 0.0))
            with_start = alone / (workers * makespan(lengths, workers, options.start_up))
            shares.append(share)
            rows.append([f"{examples:,}", workers, f"{alone / workers:,.0f}", f"{share:.0%}", f"{with_start:.0%}"])
        lines[f"{examples:,} cases, simulated"] = list(zip(WORKERS, shares, strict=True))
    headers = ["cases", "processes", "least seconds", "kept busy", "with their start"]
    print(tabulate(rows, headers, disable_numparse=True))
    if options.plot:
        labels = {"xlabel": "processes", "ylabel": "share of the time kept busy"}
        draw_lines(lines, options.plot, marker="o", ylim=(0, 1.05), **labels)


if __name__ == "__main__":
    main()
