"""The matrix of released engines, several releases of some beside each other, with a bug report for each finding.

Makes the environments of the older releases, judges every engine in a run of its own, and writes to `reports/engines`:
the matrix, what changed between releases, the bug reports, the table of times. A run that has ended is not repeated.
Run it in an environment with all engines (`pip install 'convcheck[engines]' paddlepaddle`).

    python benchmarks/engines.py
    python benchmarks/engines.py --only ncnn mlx --examples 100 --out /tmp/engines
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path

from engine_links import linked, links, title

from convcheck.cli.records import record_of
from convcheck.model.matrix import State
from convcheck.report.compatibility.matrix_file import read_matrix

ROOT = Path(__file__).resolve().parents[1]
FAST = (
    "onnxruntime", "onnx-reference", "openvino", "opencv-dnn", "ncnn", "mnn", "litert", "mlx", "tract", "paddle",
    "torch-cpu", "torch-cpu-native", "tensorflow@2.21.0",
)  # fmt: skip
SLOW = {"keras": 0.2, "scipy": 0.2, "autograd": 0.2, "jax": 0.1}
"""Engines that take long, as those that compile for every shape, and the share of the cases that they are judged on,
none of which reach far."""

DIAGNOSIS = {"opencv-dnn": (8000, "10m")}
"""Calls and seconds for the causes of engines that fail in more ways than 1,500 calls and the default time do for."""

RELEASES = {
    "tensorflow@2.21.0": ("tensorflow-cpu==2.21.0",),
    "onnxruntime@1.24.4": ("onnxruntime==1.24.4", "onnx"),
    "onnxruntime@1.20.1": ("onnxruntime==1.20.1", "onnx"),
    "opencv-dnn@4.13.0": ("opencv-python-headless==4.13.0.92", "onnx"),
    "opencv-dnn@4.10.0": ("opencv-python-headless==4.10.0.84", "onnx"),
    "ncnn@1.0.20240410": ("ncnn==1.0.20240410",),
    "mnn@3.2.0": ("MNN==3.2.0",),
}
"""Releases with an environment of their own, and what is installed for them: older ones, and one that does not install
beside the others."""


@dataclass(frozen=True)
class Measured:
    """A run that has ended: seconds on the clock, and of processors."""

    backend: str
    examples: int
    wall: float
    cpu: float


def main() -> None:
    """Judge, and write everything."""
    options = parsed()
    work = options.work or options.out.with_name(f"{options.out.name}-runs")
    work.mkdir(parents=True, exist_ok=True)
    wanted = list(dict.fromkeys([*FAST, *SLOW, *RELEASES]))
    chosen = [spec for spec in wanted if not options.only or spec in options.only or newest(spec) in options.only]
    for spec in chosen:
        make_environment(spec)
    with ThreadPoolExecutor(options.jobs) as pool:
        measured = list(pool.map(lambda spec: judged(spec, work, options), chosen))
    written(measured, work, options.out)


def parsed() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=(), help="engines, or releases of them")
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2, help="engines judged at the same time, a process each")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "engines")
    parser.add_argument("--work", type=Path, help="where the runs go (default: beside it)")
    return parser.parse_args()


def command(*arguments: object) -> list[str]:
    """A command of convcheck, in this environment."""
    return [sys.executable, "-m", "convcheck", *map(str, arguments)]


def newest(spec: str) -> str:
    """The backend of the newest release."""
    return spec.partition("@")[0]


def make_environment(spec: str) -> None:
    """Make the environment of a release, unless it is there."""
    listed = subprocess.run(command("env", "list"), capture_output=True, text=True, check=True).stdout
    if spec in RELEASES and spec not in listed.split():
        subprocess.run(command("env", "add", *RELEASES[spec], "--name", spec), check=True)


def judged(spec: str, work: Path, options: argparse.Namespace) -> Measured:
    """Judge one engine, or take what was measured when that was done."""
    folder, examples = work / spec, max(1, int(options.examples * SLOW.get(spec, 1)))
    file = folder / "measured.json"
    if file.exists():
        return Measured(**json.loads(file.read_text(encoding="utf-8")))
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{datetime.now(UTC):%H:%M:%S} {spec}: {examples} cases", flush=True)
    started = time.perf_counter()
    asked = ["run", "--backend", spec, "--examples", examples, "--seed", 0, "--workers", 1, "--name", spec]
    # relative, since the record keeps the command
    asked += ["--report-dir", os.path.relpath(work, ROOT), "--database", "none"]
    calls, seconds = DIAGNOSIS.get(spec, (1500, None))
    asked += ["--diagnosis-calls", calls, *(["--diagnosis-time", seconds] if seconds else [])]
    asked += ["--known-failures", "tests/known_failures"]
    asked += ["--reach", "quick"] if spec in SLOW else []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (work / f"{spec}.log").open("wb") as log:
        process = subprocess.Popen(command(*asked), stdout=log, stderr=log, env=environment, cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{spec}: convcheck ended with {process.returncode}; see {work / spec}.log")
    measured = Measured(spec, examples, time.perf_counter() - started, used.ru_utime + used.ru_stime)
    file.write_text(json.dumps(asdict(measured)), encoding="utf-8")
    return measured


def written(measured: list[Measured], work: Path, out: Path) -> None:
    """Write the matrix, the differences, the bug reports and the page that leads to them."""
    shutil.rmtree(out, ignore_errors=True)
    specs = [each.backend for each in measured]
    subprocess.run(
        command("matrix", "--from", *(work / spec for spec in specs), "--report-dir", out.parent, "--name", out.name),
        check=False,  # the status says that there are findings
    )
    differences = {spec: difference(spec, work, out) for spec in specs if spec in RELEASES and newest(spec) in specs}
    reports = bug_reports(work, out)
    (out / "README.md").write_text(page(measured, differences, reports, work, out), encoding="utf-8")
    print(out / "README.md")


def difference(spec: str, work: Path, out: Path) -> str:
    """Write what has changed from a release to the newest; the line that sums it up."""
    for each in (spec, newest(spec)):
        asked = command("matrix", "--from", work / each, "--report-dir", work / "matrices", "--name", each)
        subprocess.run(asked, check=False, stdout=subprocess.DEVNULL)
    old, new = (work / "matrices" / each / "matrix.json" for each in (spec, newest(spec)))
    text = subprocess.run(command("diff", old, new), check=False, stdout=subprocess.PIPE, text=True).stdout.strip()
    (out / f"since-{spec}.txt").write_text(f"{text}\n", encoding="utf-8")
    return text.splitlines()[-1]


def bug_reports(work: Path, out: Path) -> dict[int, str]:
    """Write the bug report of each finding of the matrix; the titles."""
    entries, known = read_matrix(out / "matrix.json").findings, links()
    (out / "issues").mkdir()
    titles = {}
    asked = [command("issue", work / entry.run, entry.place) for entry in entries]
    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(lambda each: subprocess.check_output(each, text=True), asked))
    for entry, printed in zip(entries, texts, strict=True):
        # some engines print when they are imported
        text = linked(printed[printed.index("# ") :], entry.finding, known)
        (out / "issues" / f"{entry.number}.md").write_text(text, encoding="utf-8")
        titles[entry.number] = title(text)
    return titles


def unexplained(out: Path) -> list[str]:
    """The cells that fail and lead to no finding."""
    matrix = read_matrix(out / "matrix.json")
    columns = zip(matrix.labels, matrix.engines, strict=True)
    cells = [(label, cell) for label, engine in columns for cell in engine.cells if cell.state is State.FAIL]
    return [f"{label}: {cell.clause}, {cell.wrong} of {cell.cases}" for label, cell in cells if not cell.findings]


def page(measured: list[Measured], differences: dict[str, str], reports: dict[int, str], work: Path, out: Path) -> str:
    """The page that leads to everything."""
    rows = []
    for each in measured:
        record = record_of(work / each.backend)
        (found,) = record.backends
        version = next(iter(found.versions.items()), ("", ""))
        cases = f"{found.cases}{' (interrupted)' if record.interrupted else ''}"
        shown = f"| {each.backend} | {' '.join(version)} | {cases} | {len(record.findings)} "
        rows.append(f"{shown}| {each.wall:.0f} | {f'{each.cpu:.0f}' if each.cpu else 'not measured'} |")
    cpu, today = sum(each.cpu for each in measured), f"{datetime.now(UTC):%Y-%m-%d}"
    return "\n".join(
        [
            "# Released engines and Conv2d",
            "",
            f"The [matrix](matrix.md) ([page](matrix.html), [CSV](matrix.csv), [JSON](matrix.json)) of {len(measured)}",
            f"engines and releases, judged by convcheck {installed('convcheck')} on {today}, seed 0. Made anew by",
            "",
            "```sh",
            "python benchmarks/engines.py",
            "```",
            "",
            f"Judging took {cpu / 60:.0f} minutes of one processor.",
            "",
            "| backend | engine | cases | findings | seconds | of a processor |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "## Between releases",
            "",
            "What is wrong in the newest release and was not in an older one is new, and the other way around fixed.",
            "",
            *(f"- [{spec}](since-{spec}.txt) to the newest: {said}" for spec, said in differences.items()),
            "",
            "## Bug reports",
            "",
            "Each has a script in the engine's own words, which fails as long as the finding is there.",
            "`python benchmarks/engine_issues.py` runs all of them.",
            "",
            *(f"- [{number}](issues/{number}.md): {title}" for number, title in reports.items()),
            "",
            "## Not looked into",
            "",
            "Cells that fail and lead to no finding, because no calls were left to look for a cause:",
            "",
            *(f"- {cell}" for cell in unexplained(out) or ["none"]),
            "",
        ]
    )


if __name__ == "__main__":
    main()
