"""Run the script of every bug report of the matrix, which has to fail, and prove findings again by plain Python.

A script has to fail in the way of its finding. The proof takes the arrays of the script and what the engine made of
them, computes the layer in exact fractions by loops over its definition, and knows nothing of convcheck's oracles,
bounds and reference; what is about illegal or refused arguments is proven by the arithmetic of sizes.

    python benchmarks/engine_issues.py
    python benchmarks/engine_issues.py reports/engines --only ncnn --proofs 10
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from plain_layer import legal, wrong

from convcheck.execution.environments import found_for
from convcheck.model.token import read
from convcheck.plugin.placed import Placed
from convcheck.report.compatibility.matrix_file import read_matrix

ROOT = Path(__file__).resolve().parents[1]
LIMIT, HUNG = 180, 124
"""Seconds after which a script counts as hung, and the status that it has then."""

SCRIPT = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
ARRAY = re.compile(r"^(?:x|weight|bias|grad_output) = (?:np\.array|unpack)\(")
FAILS_AS_IT_SHOULD = {
    "fail": lambda done: "AssertionError" in done.stderr,
    "unwritten output": lambda done: "AssertionError" in done.stderr,
    "wrongly accepted": lambda done: "accepted, although it is illegal" in done.stderr,
    "wrongly refused": lambda done: done.returncode == 1 and not re.search(r"(?:Import|Name|Syntax)Error", done.stderr),
    "crashed": lambda done: done.returncode < 0,
    "hung": lambda done: done.returncode == HUNG,
}
"""What the end of a script says of its finding, by status; of another status, that it does not end well."""


def main() -> None:
    """Run the scripts, and prove some findings again."""
    options = parsed()
    matrix = read_matrix(options.folder / "matrix.json")
    entries = [each for each in matrix.findings if not options.only or each.finding.backend in options.only]
    failed, own, never_again, again, unproven = 0, 0, 0, 0, []
    for entry in entries:
        text = (options.folder / "issues" / f"{entry.number}.md").read_text(encoding="utf-8")
        found = SCRIPT.search(text)
        script = found[1] if found else ""
        plain, done = "convcheck" not in script, ran(entry, script)
        fails = done is not None and FAILS_AS_IT_SHOULD.get(str(entry.finding.status), lambda d: d.returncode)(done)
        fails = bool(fails) or (done is not None and not plain and done.returncode == 1)
        once = entry.finding.seen_once and not fails
        failed, own, never_again = failed + fails, own + plain, never_again + once
        ended = "no script" if done is None else done.returncode
        shown = "fails" if fails else "seen once, as it says" if once else f"DOES NOT FAIL AS IT SHOULD ({ended})"
        proof = proven(entry, script) if plain and again + len(unproven) < options.proofs else ""
        again += proof == "proven again"
        unproven += [entry.number] if proof not in ("", "proven again") else []
        words = "its own words" if plain else "convcheck replay"
        print(f"{entry.number}. {entry.engine}, {entry.finding.status}, {words}: {shown}; {proof}", flush=True)
    print(f"{failed} of {len(entries)} scripts fail as they should, {never_again} are of what was seen once;")
    print(f"{own} are in the engine's own words;")
    print(f"{again} of {again + len(unproven)} proven again by plain Python; not proven: {unproven or 'none'}")
    raise SystemExit(failed + never_again < len(entries) or bool(unproven))


def parsed() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "reports" / "engines")
    parser.add_argument("--only", nargs="+", default=(), help="backends")
    parser.add_argument("--proofs", type=int, default=10_000, help="how many findings are proven again")
    return parser.parse_args()


def ran(entry, script, then=""):
    """What came of a script where its engine is; None without one."""
    if not script:
        return None
    placed = Placed.of(entry.finding.backend)
    there = placed is not None and "convcheck" not in script
    interpreter = found_for(placed).interpreter if there else sys.executable
    with TemporaryDirectory() as folder:
        file = Path(folder, "report.py")
        file.write_text(script, encoding="utf-8")
        asked = [interpreter, file]
        try:
            done = subprocess.run(asked, cwd=folder, check=False, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(asked, HUNG, "", "")
        return then(Path(folder)) if then else done


def proven(entry, script):
    """Whether plain Python finds the same: "proven again", or what speaks against it."""
    finding = entry.finding
    case = read(finding.reproduction.token)
    if str(finding.status) in ("wrongly accepted", "wrongly refused", "crashed", "hung"):
        due = str(finding.status) != "wrongly accepted" and case.violation is None
        said = legal(case.arguments, case.input_shape) and not flawed(case)
        return "proven again" if said is due or (case.violation is not None and not said) else f"legal: {said}"
    arrays = ran(entry, recorded(script), lambda folder: dict(np.load(folder / "arrays.npz")))
    return "proven again" if wrong(case, finding.verdict.quantity, arrays) else "plain Python finds it right"


def flawed(case):
    """Whether something is wrong with the tensors: nothing is with a bias that is not passed, or has its one entry."""
    if not case.flaw.startswith("bias"):
        return case.flaw != "none"
    return case.arguments.bias and not (case.flaw == "bias_single" and case.arguments.out_channels == 1)


def recorded(script):
    """The script with what it is given and what it gets written to a file instead of compared."""
    lines = script.splitlines()
    last = max(at for at, line in enumerate(lines, 1) if ARRAY.match(line))
    names = "('x', 'weight', 'bias', 'grad_output')"
    given = f"given = {{n: np.array(globals()[n]).astype(np.float64) for n in {names} if n in globals()}}"
    end = next((at for at, line in enumerate(lines) if line.startswith("expected = ")), len(lines))
    keep = "np.savez('arrays.npz', got=np.array(got).astype(np.float64), **keep_given)"
    return "\n".join([*lines[:last], given.replace("given =", "keep_given =", 1), *lines[last:end], keep])


if __name__ == "__main__":
    main()
