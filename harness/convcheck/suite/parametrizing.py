"""One test for each backend, dtype and clause in a test file of anybody's, as scikit-learn has them for estimators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from convcheck.checking.candidates import CheckError, opened_as
from convcheck.checking.checking import check
from convcheck.checking.result import CheckResult
from convcheck.execution import CALL_LIMIT, open_candidate
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level
from convcheck.model.record import Record
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.live import is_importing, live_name
from convcheck.suite.test_conformance import settle
from convcheck_reference.clauses import CLAUSES

Test = TypeVar("Test", bound=Callable[..., Any])

_ARGUMENTS: Final = ("backend", "check")


@dataclass(frozen=True, eq=False)
class _Judging:
    """How the backends of one decorator are judged, and what came of it: once for each of them and dtype."""

    check: Callable[..., CheckResult]
    records: dict[tuple[int, str], tuple[Any, Record]] = field(default_factory=dict)

    def record(self, backend: Any, dtype: str) -> Record:
        key = (id(backend), dtype)  # which stays its own, as the backend is kept beside its record
        if key not in self.records:
            self.records[key] = (backend, self.check(backend, dtypes=(dtype,)).record)
        return self.records[key][1]


@dataclass(frozen=True, eq=False)
class ClauseCheck:
    """What a test calls with its backend: it fails, or is skipped with the reason, as the clause says.

    Attributes:
        dtype: of the cases.
        clause: that they judge, as `reference/SPECIFICATION.md` numbers it.
    """

    dtype: str
    clause: str
    _judging: _Judging = field(repr=False)

    def __call__(self, backend: Any) -> None:
        """Judge the backend, unless a test of the same dtype has."""
        record = self._judging.record(backend, self.dtype)
        settle(record, record.backends[0].name, self.clause)


def parametrize_with_checks(
    backends: Iterable[Any],
    *,
    dtypes: Sequence[str] = (),
    examples: int = 100,
    seed: int = 0,
    level: Level | str = LAST,
    reach: Ladder | str = Ladder.STANDARD,
    known_failures: str | Path | None = None,
    isolated: bool | None = None,
    limit: float = CALL_LIMIT,
    diagnosis_seconds: float | None = None,
) -> Callable[[Test], Test]:
    """Decorate a test with two arguments, `backend` and `check`: it runs for each backend, dtype and clause.

    The cases of a backend and dtype are judged once, by the first of their tests; with pytest-xdist by the first in
    each of its processes.

        @convcheck.parametrize_with_checks([my_conv, "torch-cpu"])
        def test_conforms(backend, check):
            check(backend)

    Args:
        backends: each as `convcheck.check` takes it: a function, a class, an instance, or a text.
        dtypes: of the tests; none for those that each backend declares, which is loaded for that.
        examples: cases for each backend and dtype.
        seed: as for `convcheck.check`.
        level: as for `convcheck.check`; what is wrong beyond it is an expected failure.
        reach: as for `convcheck.check`.
        known_failures: as for `convcheck.check`.
        isolated: as for `convcheck.check`.
        limit: as for `convcheck.check`.
        diagnosis_seconds: as for `convcheck.check`.

    Raises:
        CheckError: there is no list of backends, or none in it.
        RegistryError: a backend cannot be loaded.
    """
    if is_importing():  # a worker looks for a backend in the test's own file, which has no use for tests
        return lambda test: test
    how = partial(check, examples=examples, seed=seed, level=level, reach=reach, known_failures=known_failures)
    judging = _Judging(partial(how, isolated=isolated, limit=limit, diagnosis_seconds=diagnosis_seconds))
    parameters = [
        pytest.param(backend, ClauseCheck(dtype, clause.id, judging), id=f"{_shown(backend)}|{dtype}|{clause.id}")
        for backend in _listed(backends)
        for dtype in ((dtypes,) if isinstance(dtypes, str) else dtypes or _declared(backend, isolated))
        for clause in CLAUSES
    ]
    return pytest.mark.parametrize(_ARGUMENTS, parameters)


def _listed(backends: Iterable[Any]) -> tuple[Any, ...]:
    """The backends: pytest would skip a test without any, which nobody sees."""
    if isinstance(backends, str) or not isinstance(backends, Iterable):
        raise CheckError(f"parametrize_with_checks({backends!r}): expected a list of backends, such as [my_conv]")
    listed = tuple(backends)
    if not listed:
        raise CheckError("parametrize_with_checks([]): expected at least one backend; without any nothing is tested")
    return listed


def _declared(backend: Any, isolated: bool | None) -> tuple[str, ...]:
    """The dtypes that a backend declares; one that is absent here is named all the same, and its tests are skipped."""
    apart = isinstance(backend, str) if isolated is None else isolated
    try:
        with opened_as(backend, isolated=apart) as spec, closing(open_candidate(spec, in_process=not apart)) as opened:
            return opened.capabilities.dtypes
    except UnavailableError:
        return ("float32",)


def _shown(backend: Any) -> str:
    """The backend in the name of a test."""
    if isinstance(backend, str):
        return Path(backend).name
    return str(getattr(backend, "name", "") or live_name(backend).strip("<>"))
