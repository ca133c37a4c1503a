"""What proves the rest on a machine with CUDA, in under four minutes: one table, and one JSON file.

    python benchmarks/device.py device.json

Each row is one command, start-up included: those of 1,000 cases run by themselves, the others three at a time. What has
to come out is said in the row, the most important first. With --cpu the same is done without a device, as far as it
goes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tabulate import tabulate

from convcheck.model.verdicts import FAILURES
from convcheck.report import read_record

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / "tests" / "plugins"
KERNELS = Path(__file__).with_name("device_kernels.py")
BESIDE = 3
"""Small rows that are run at the same time: they wait for processes to start most of the time."""
KNOWN = ROOT / "tests" / "known_failures"


@dataclass(frozen=True)
class Job:
    """One command.

    Attributes:
        label: in the table.
        backend: what is run.
        expected: words of the finding that has to come out; empty for none.
        options: of `convcheck run`.
    """

    label: str
    backend: str
    expected: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """What came of it."""

    label: str
    as_expected: bool
    cases: int
    findings: list[str]
    wall_seconds: float
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    error: str = ""


def jobs(cpu: bool) -> list[Job]:
    """What is done."""
    names = ("torch-cpu",) if cpu else ("torch-cuda", "torch-cuda-tf32", "torch-cuda-channels-last")
    whole = [Job(f"{name}, 1,000 cases", name, options=("--examples", "1000", "--workers", "2")) for name in names]
    own = ("--workers", "1", "--diagnosis-calls", "60")
    few, many = ("--examples", "24", *own), ("--examples", "120", *own)
    if cpu:
        return [
            *whole,
            Job("an assertion", f"{KERNELS}:asserts_in_groups", "nonzero value", few),
            Job("a graph of a device without", f"{KERNELS}:in_a_graph", options=few),
        ]
    sanitized = ("--examples", "16", *own, "--sanitize", "memcheck")
    return [
        *whole,
        Job("an assertion on the device", f"{KERNELS}:asserts_in_groups", "crashed on the device", few),
        Job("a write beside a tensor: canaries", f"{KERNELS}:writes_beside", "weight", few),
        Job("a write beside a tensor: memcheck", f"{KERNELS}:writes_beside", "Invalid", sanitized),
        Job("launched on the default stream", f"{KERNELS}:on_default_stream", "on another stream", many),
        Job("captured in a graph, right", f"{KERNELS}:in_a_graph", options=many),
        Job("Triton, right", f"{PLUGINS / 'my_triton_kernel.py'}:my_conv", options=many),
        Job("Triton, the tail of a sum left out", f"{PLUGINS / 'wrong_triton_kernel.py'}:k_tail", "output", few),
        Job("CUDA C++, right", f"{PLUGINS / 'my_cuda_kernel.py'}:my_conv", options=many),
        Job("CUDA C++, without dilation", f"{PLUGINS / 'wrong_cuda_kernel.py'}:undilated", "output", few),
        Job("TF32 that is not declared", f"{KERNELS}:in_tf32", "output", few),
    ]


def done(job: Job, folder: Path, number: int) -> Row:
    """Run a command and read its record."""
    own = ("--database", "none", "--known-failures", KNOWN, "--diagnosis-time", "12s")
    convcheck = (sys.executable, "-c", "from convcheck.cli import main; main()")
    where = ("--report-dir", folder, "--name", str(number))
    command = [*convcheck, "run", "--backend", job.backend, *job.options, *own, *where]
    begun = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = None
    try:
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=75, check=False)
        record = read_record(folder / str(number))
    except Exception as error:  # noqa: BLE001  (the other rows are worth having)
        said = "" if ended is None else ended.stderr
        return Row(job.label, False, 0, [], time.perf_counter() - begun, error=f"{error}"[:300] + said[-1500:])
    wall = time.perf_counter() - begun
    (backend,) = record.backends
    findings = [f"{f.level}: {f.status}, {f.verdict.quantity}: {f.verdict.reason}"[:300] for f in record.findings]
    unknown = [text for f, text in zip(record.findings, findings, strict=True) if f.status in FAILURES]
    right = any(job.expected in text for text in unknown) if job.expected else not unknown
    error = backend.unavailable or ("" if ended.returncode in (0, 1) else ended.stderr[-1500:])
    return Row(job.label, right and not error, backend.cases, findings, wall, backend.seconds, backend.versions, error)


def in_order(all_jobs: list[Job], folder: Path) -> Iterator[Row]:
    """The rows in the order of the jobs; the small ones are run three at a time."""
    alone = sum("1000" in job.options for job in all_jobs)
    for number, job in enumerate(all_jobs[:alone]):
        yield done(job, folder, number)
    others = enumerate(all_jobs[alone:], alone)
    with ThreadPoolExecutor(BESIDE) as pool:
        yield from pool.map(lambda numbered: done(numbered[1], folder, numbered[0]), others)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("json", type=Path, help="where the figures go")
    parser.add_argument("--cpu", action="store_true", help="without a device")
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for row in in_order(jobs(options.cpu), Path(folder)):
            rows.append(row)
            options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    table = [
        [r.label, "yes" if r.as_expected else "NO", r.cases, len(r.findings), f"{r.wall_seconds:.1f}",
         f"{r.cases / r.wall_seconds:.1f}", r.error[:60]]
        for r in rows
    ]  # fmt: skip
    print(tabulate(table, headers=["", "as expected", "cases", "findings", "s", "cases/s", "error"]))
    print(f"in all {time.perf_counter() - begun:.0f} s; {rows[0].versions}")


if __name__ == "__main__":
    main()
