"""A finding as a bug report for the tracker of an engine, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from convcheck.model.record import BackendRecord, Finding, Record
from convcheck.model.reproduction import StandaloneCall
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.report.own_words import is_exact, own_words
from convcheck.report.replaying import replay_command
from convcheck.report.script import script
from convcheck.report.sentence import headline
from convcheck.report.tables import counted, definitions, fenced, one_line, wrapped
from convcheck_reference.clauses import clause

_EXACT: Final = (
    "All values are integers, small enough that every partial sum is exact in any order of summation: the result is "
    "compared bit for bit, and no rounding is involved."
)
_DUE: Final = {
    Status.WRONGLY_ACCEPTED: ("an error: these arguments are illegal", "the call returns"),
    Status.WRONGLY_REFUSED: ("a result: these arguments are legal", "the call raises"),
    Status.CRASHED: ("a result, or an error", "the process ends"),
    Status.HUNG: ("a result, or an error", "the call does not return"),
}
"""What is expected, and what comes, where no result is compared."""


def issue(record: Record, finding: Finding, lines: Sequence[str] = ()) -> str:
    """The report.

    Args:
        record: of the run.
        finding: of that run.
        lines: the call in the engine's own words, as `Backend.script_lines` has them; none for the script of the
            run's report.
    """
    backend = next(each for each in record.backends if each.name == finding.backend)
    parts = [
        f"# {_title(backend, finding)}",
        *_steps(record, finding, lines),
        "## Expected and got",
        *_expected(finding),
        *_rule(finding),
        "## Versions",
        definitions(_versions(record, backend), "markdown"),
        "## What was tried",
        definitions(list(_tried(record, finding)), "markdown"),
    ]
    return "\n\n".join(parts)


def _title(backend: BackendRecord, finding: Finding) -> str:
    version = next((f"{name} {value}" for name, value in backend.versions.items()), backend.name)
    token, ruled = finding.reproduction.token, finding.diagnosis.failure_condition is not None
    case = read(token) if token and not ruled else None
    illegal = "" if case is None or case.violation is None else f": {str(case.violation).partition(';')[0]}"
    layer = "" if case is None else f", {case.arguments}"
    return one_line(f"conv2d: {headline(finding)}{illegal}{layer} ({version})", "markdown")


def _steps(record: Record, finding: Finding, lines: Sequence[str]) -> Iterator[str]:
    token = finding.reproduction.token
    if not token:
        yield wrapped(one_line("No one case shows it.", "markdown"), "markdown")
        return
    case = read(token)
    yield wrapped(
        one_line(f"{case.arguments} on an input of {case.input_shape}, {case.dtype}.", "markdown"), "markdown"
    )
    yield "## To reproduce"
    text = own_words(finding, lines) if lines else script(record, finding)
    yield fenced(text.strip("\n"), "python") if text else fenced(replay_command(finding), "sh")
    if text and finding.seen_once:
        yield "It was seen once and never again, so the script may end well although the bug is there."
    elif text:
        yield "The script ends with an error as long as the bug is there."


def _expected(finding: Finding) -> Iterator[str]:
    due, verdict = _DUE.get(finding.status), finding.verdict
    evidence, call = verdict.evidence, finding.reproduction.call
    rows = [("expected", due[0]), ("got", due[1])] if due else []
    if evidence is not None:
        at = f" at {evidence.index}" if evidence.index else ""
        rows += [(f"expected{at}", evidence.expected), (f"got{at}", evidence.got)]
        rows.append(("wrong elements", f"{evidence.wrong} of {evidence.total}: {evidence.location}"))
    rows.append(("what is wrong", verdict.reason))
    yield definitions([(name, text) for name, text in rows if text], "markdown")
    if call is not None and is_exact(call) and _of_integers(call):
        yield wrapped(_EXACT, "markdown")
    broken = clause(finding.clause)
    said = f"What it breaks: {broken.text} ({broken.source})"
    yield wrapped(one_line(said, "markdown"), "markdown")


def _of_integers(call: StandaloneCall) -> bool:
    arrays = [tensor.values.array for tensor in call.tensors.values()]
    finite = all(np.isfinite(array.astype(complex)).all() for array in arrays)
    return finite and all((array == np.round(array.astype(complex))).all() for array in arrays)


def _rule(finding: Finding) -> Iterator[str]:
    condition, found = finding.diagnosis.failure_condition, finding.diagnosis
    if condition is None and not found.known_defects:
        return
    yield "## When it fails"
    said = [str(condition)] if condition is not None else []
    said += [str(found.known_defects[0])] if found.known_defects else []
    yield wrapped(one_line(". ".join(f"It {sentence}" for sentence in said) + ".", "markdown"), "markdown")


def _versions(record: Record, backend: BackendRecord) -> list[tuple[str, str]]:
    own = dict(backend.versions)
    return [*own.items(), *((name, value) for name, value in record.environment.items() if name not in own)]


def _tried(record: Record, finding: Finding) -> Iterator[tuple[str, str]]:
    found, reproduction = finding.diagnosis, finding.reproduction
    judged = sum(backend.cases for backend in record.backends if backend.name == finding.backend)
    dtypes = f", {', '.join(finding.dtypes)}" if finding.dtypes else ""
    yield "cases", f"{finding.failing_cases} of {counted(judged, 'case')} show it{dtypes}"
    if reproduction.attempts:
        yield "repeated", f"{reproduction.reproduced} of {reproduction.attempts} times in a fresh process"
    if finding.also_affects:
        yield "also affects", ", ".join(finding.also_affects)
    if found.free:
        yield "makes no difference", ", ".join(found.free)
    if found.cross_check:
        yield "cross-check", found.cross_check
    if command := replay_command(finding):
        yield f"with convcheck {record.version}", command
