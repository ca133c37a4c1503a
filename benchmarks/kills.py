"""Kills a run at random moments, and looks at what is left: cases, processes, and what a resumed run comes to.

    python benchmarks/kills.py --kills 50 --workers 1 --workers 2
    python benchmarks/kills.py --kills 50 --workers 2 --scheduler local

Half of the kills hit the run itself, the others any process below it. What is in the journal just before a kill has to
be there afterwards, no process may be left three seconds later, and the resumed run has to come to what one that
nobody stopped came to, with no case judged twice.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KERNEL = '''
import numpy as np
from convcheck import ReferenceBackend

class Wrong(ReferenceBackend):
    """Wrong for strides in a dilated layer, by one."""

    def conv2d(self, x, weight, bias, params):
        y = super().conv2d(x, weight, bias, params)
        return y + (max(params.stride) > 1 and max(params.dilation) > 1)
'''


CONVCHECK = (sys.executable, "-c", "from convcheck.cli import main; main()")


def command(kernel, folder, workers, name, options):
    return [
        *CONVCHECK, "run", "--backend", f"{kernel}:Wrong", "--examples", str(options.examples),
        "--scheduler", options.scheduler, "--workers", str(workers), "--report-dir", str(folder), "--name", name,
        "--database", "none", "--dtype", "float32", "--diagnosis-calls", "20",
    ]  # fmt: skip


def resumed(folder, name):
    return [*CONVCHECK, "resume", str(folder / name), "--database", "none"]


def entries(path):
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def cases(folder, name):
    """Every case that the journal has, by part and position."""
    path, found, size = folder / name / "journal.jsonl", [], {}
    for entry in entries(path) if path.exists() else ():
        if entry["kind"] == "cases":
            part = entry["stretch"]["part"]
            for token in entry["stretch"]["cases"]:
                size[part] = size.get(part, 0) + 1
                found.append((part, size[part], token))
    return found


def said(folder, name):
    """The record, but for times, commands and names."""
    found = []
    for entry in entries(folder / name / "findings.jsonl"):
        for gone in ("seconds", "started", "command", "name"):
            if gone != "name" or entry["kind"] == "campaign":
                entry.pop(gone, None)
        found.append(json.dumps(entry, sort_keys=True))
    return found


def session(marker):
    """The processes of a run: those that have the marker in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (process / "environ").read_bytes() and (process / "stat").read_text().split(") ")[1][0] != "Z":
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill_once(rng, folder, kernel, workers, options, seconds, expected, row):
    name = f"run-{row}"
    marker = f"CONVCHECK_KILLS={os.getpid()}-{row}"
    environment = {**os.environ, marker.partition("=")[0]: marker.partition("=")[2]}
    process = subprocess.Popen(
        command(kernel, folder, workers, name, options),
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(rng.uniform(0.3, 1.1 * seconds))
    before = cases(folder, name)
    others = [pid for pid in session(marker.encode()) if pid != process.pid]
    whole = not others or rng.random() < 0.5
    target = process.pid if whole else rng.choice(others)
    with contextlib.suppress(ProcessLookupError):
        os.kill(target, signal.SIGKILL)
    process.wait()  # where another process was killed, the run goes on, or ends, without it
    time.sleep(3.0)
    orphans = len(session(marker.encode()))
    after = cases(folder, name)
    lost = len([case for case in before if case not in set(after)])
    twice = len(after) - len(set(after))
    unfinished = True
    summary = folder / name / "summary.txt"
    if whole and summary.exists():
        ended = not json.loads((folder / name / "findings.jsonl").read_text().split("\n")[0])["interrupted"]
        unfinished = ended or "UNFINISHED" in summary.read_text()
    same = None
    if (folder / name / "journal.jsonl").exists():
        subprocess.run(resumed(folder, name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        same = said(folder, name) == expected
        final = cases(folder, name)
        twice += len(final) - len(set(final))
    for pid in session(marker.encode()):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder / name, ignore_errors=True)
    return {"who": "the run" if whole else "below it", "before": len(before), "lost": lost, "twice": twice,
            "orphans": orphans, "says UNFINISHED": unfinished, "same": same}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--examples", type=int, default=120)
    parser.add_argument("--scheduler", default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        kernel = folder / "wrong.py"
        kernel.write_text(KERNEL)
        for workers in options.workers or [1, 2]:
            start = time.monotonic()
            subprocess.run(
                command(kernel, folder, workers, "whole", options),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            seconds, expected = time.monotonic() - start, said(folder, "whole")
            rows = [
                kill_once(rng, folder, kernel, workers, options, seconds, expected, row) for row in range(options.kills)
            ]
            for row in rows:
                print(row, flush=True)
            judged = [row for row in rows if row["same"] is not None]
            print(
                f"{workers} workers: {len(rows)} kills ({sum(r['who'] == 'the run' for r in rows)} of the run itself), "
                f"{len(judged)} with a journal; cases lost {sum(r['lost'] for r in rows)}, "
                f"judged twice {sum(r['twice'] for r in rows)}, processes left {sum(r['orphans'] for r in rows)}, "
                f"reports that do not say UNFINISHED {sum(not r['says UNFINISHED'] for r in rows)}, "
                f"resumed to the same {sum(r['same'] for r in judged)} of {len(judged)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
