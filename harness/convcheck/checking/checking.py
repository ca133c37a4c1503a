"""`convcheck.check`: a backend judged by one line of a program.

The judge is imported by the call: the process of an untrusted candidate, whose file may import this, has none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from convcheck.checking.candidates import CheckError, opened_as
from convcheck.checking.result import CheckResult
from convcheck.execution import CALL_LIMIT
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level
from convcheck_reference.clauses import clause as find_clause
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import MAX_INDEX

Choice = TypeVar("Choice", bound=StrEnum)


def check(
    backend: Any,
    examples: int = 300,
    seed: int = 0,
    *,
    dtypes: Sequence[str] = (),
    clause: str = "",
    level: Level | str = LAST,
    reach: Ladder | str = Ladder.STANDARD,
    known_failures: str | Path | None = None,
    isolated: bool | None = None,
    limit: float = CALL_LIMIT,
    diagnosis_seconds: float | None = None,
    report_dir: str | Path | None = None,
) -> CheckResult:
    """Judge a Conv2d implementation as `convcheck run` does; nothing is kept of it unless `report_dir` is given.

    Hypothesis has a cache in the folder ``.hypothesis``, as it has for any test. An interrupt ends the run: the result
    then has what was judged until it came, and does not conform.

    Args:
        backend: a function with the signature of `torch.nn.functional.conv2d`, a `torch.nn.Module` subclass like
            `torch.nn.Conv2d`, a `Backend` subclass or an instance of one, or a text as the command line takes it.
        examples: cases, besides those that reach far.
        seed: of the generator.
        dtypes: only these; none for those that the backend declares.
        clause: only verdicts on this clause; empty for all.
        level: up to which findings count for `conforms`.
        reach: how far some of the cases reach.
        known_failures: a TOML file of them, or a folder of ``<backend>.toml``.
        isolated: whether it runs in a process of its own, where a crash or a hang is a finding; that takes a function
            or class at the top of a module. By default what a text names does, and an object runs in this process.
        limit: seconds that a call may take, in a process of its own.
        diagnosis_seconds: in which causes are looked for at most.
        report_dir: the folder that reports are written to, and the journal.

    Raises:
        CheckError: an argument is none, or a process of its own would not find the object.
        RegistryError: the backend cannot be loaded.
        ConvcheckError: something else that the run needs is not there.
    """
    from convcheck.checking.engine import record_of  # noqa: PLC0415

    isolated = isinstance(backend, str) if isolated is None else isolated
    folder = None if report_dir is None else Path(report_dir)
    with opened_as(backend, isolated=isolated) as spec:
        record = record_of(
            spec,
            folder,
            known_failures,
            examples=_within("examples", examples, 1),
            seed=_within("seed", seed, 0),
            dtypes=_dtypes(dtypes),
            clause=find_clause(clause).id if clause else "",
            in_process=not isolated,
            limit=limit,
            diagnosis_seconds=diagnosis_seconds,
            level=_one_of("level", Level, level),
            reach=_one_of("reach", Ladder, reach),
        )
    return CheckResult(record, folder)


def _within(name: str, given: int, least: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= MAX_INDEX:
        raise CheckError(f"{name}={given!r}; expected a whole number from {least} to {MAX_INDEX}")
    return given


def _dtypes(given: Sequence[str]) -> tuple[str, ...]:
    some = (given,) if isinstance(given, str) else tuple(given)
    for dtype in some:
        if dtype not in DTYPES:
            raise CheckError(f"dtypes={given!r}: {dtype!r} is no dtype; expected some of {', '.join(DTYPES)}")
    return some


def _one_of(name: str, kind: type[Choice], given: Choice | str) -> Choice:
    try:
        return kind(given)
    except ValueError as error:
        raise CheckError(f"{name}={given!r}; expected one of {', '.join(kind)}") from error
