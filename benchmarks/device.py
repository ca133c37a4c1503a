"""What proves the rest on a machine with CUDA, in under four minutes: one table, and one JSON file.

    python benchmarks/device.py device.json

Each row is one command, run by itself, start-up included. What has to come out is said in the row. With --cpu the same
is done without a device, as far as it goes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tabulate import tabulate

from convcheck.model.verdicts import FAILURES
from convcheck.report import read_record

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / "tests" / "plugins"
KERNELS = Path(__file__).with_name("device_kernels.py")
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
    own = ("--workers", "1", "--diagnosis-calls", "200")
    few, many = ("--examples", "40", *own), ("--examples", "150", *own)
    if cpu:
        return [*whole, Job("an assertion", f"{KERNELS}:asserts_in_groups", "nonzero value", few)]
    sanitized = ("--examples", "16", *own, "--sanitize", "memcheck")
    return [
        *whole,
        Job("an assertion on the device", f"{KERNELS}:asserts_in_groups", "crashed on the device", few),
        Job("a write beside a tensor: canaries", f"{KERNELS}:writes_beside", "weight", few),
        Job("TF32 that is not declared", f"{KERNELS}:in_tf32", "output", few),
        Job("Triton, right", f"{PLUGINS / 'my_triton_kernel.py'}:my_conv", options=many),
        Job("Triton, the tail of a sum left out", f"{PLUGINS / 'wrong_triton_kernel.py'}:k_tail", "output", few),
        Job("CUDA C++, right", f"{PLUGINS / 'my_cuda_kernel.py'}:my_conv", options=many),
        Job("a write beside a tensor: memcheck", f"{KERNELS}:writes_beside", "Invalid", sanitized),
    ]


def done(job: Job, folder: Path, number: int) -> Row:
    """Run a command and read its record."""
    own = ("--database", "none", "--known-failures", KNOWN, "--diagnosis-time", "25s")
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("json", type=Path, help="where the figures go")
    parser.add_argument("--cpu", action="store_true", help="without a device")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for number, job in enumerate(jobs(options.cpu)):
            rows.append(done(job, Path(folder), number))
            options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    table = [
        [r.label, "yes" if r.as_expected else "NO", r.cases, len(r.findings), f"{r.wall_seconds:.1f}",
         f"{r.cases / r.wall_seconds:.1f}", r.error[:60]]
        for r in rows
    ]  # fmt: skip
    print(tabulate(table, headers=["", "as expected", "cases", "findings", "s", "cases/s", "error"]))
    print(f"in all {sum(r.wall_seconds for r in rows):.0f} s; {rows[0].versions}")


if __name__ == "__main__":
    main()
