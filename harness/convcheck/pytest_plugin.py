"""The pytest plugin: options, the judging of each backend and dtype once, and the report at the end.

With xdist the tests of one backend and dtype go to one worker; the workers' records travel to the
controller on their test reports, and the controller writes the report.
"""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from convcheck.model.ladder import Ladder
from convcheck.model.levels import Level
from convcheck.pytest_options import DTYPES, add_defaults, add_options

if TYPE_CHECKING:
    from convcheck.campaign.known_failures import KnownFailure
    from convcheck.model.record import Record
    from convcheck_reference.errors import ConvcheckError

# Everything else is imported when a backend is named: this plugin loads in every run of pytest.

_ATTRIBUTE: Final = "convcheck_record"
_TEST: Final = "test_clause["


@dataclass
class Judgements:
    """The records of this process, by backend and dtype."""

    config: pytest.Config
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    unsent: list[Record] = field(default_factory=list)
    errors: dict[str, ConvcheckError] = field(default_factory=dict)

    def record(self, backend: str, dtype: str) -> Record:
        """The record of a small campaign on one backend and dtype, run on first use.

        Raises:
            ConvcheckError: the backend cannot be judged; it is tried once.
        """
        from convcheck_reference.errors import ConvcheckError

        if backend in self.errors:
            raise self.errors[backend]
        if (backend, dtype) not in self.records:
            try:
                record = self._run(backend, dtype)
            except ConvcheckError as error:
                self.errors[backend] = error
                raise
            self.records[backend, dtype] = record
            self.unsent.append(record)
        return self.records[backend, dtype]

    def _run(self, backend: str, dtype: str) -> Record:
        from convcheck.campaign import Options, run
        from convcheck.campaign.database import open_database

        get = self.config.getoption
        options = Options(
            specs=(backend,),
            examples=get("conv_examples"),
            seed=_seed(self.config),
            dtypes=(dtype,),
            limit=get("conv_limit"),
            known=known_entries(self.config, backend),
            level=Level(get("conv_level")),
            reach=Ladder(get("conv_reach")),
            workers=_processes(self.config),
        )
        return run(
            options,
            name=f"{backend} {dtype}",
            command="pytest",
            database=open_database(self.config.getoption("conv_database")),
        )


def _processes(config: pytest.Config) -> int:
    """Judging processes of each backend and dtype: where xdist has more workers than there are of these, their share.

    A record is the same with any number of them.
    """
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    return max(1, workers // len(_judged_apart(config)))


def _backends(config: pytest.Config) -> list[str]:
    """Those that are named, each once."""
    return list(dict.fromkeys(config.getoption("conv_backend")))


def _judged_apart(config: pytest.Config) -> list[tuple[str, str]]:
    """The backends and dtypes, each of which is judged on its own."""
    return [(b, d) for b in _backends(config) for d in config.getoption("conv_dtype") or DTYPES]


def _seed(config: pytest.Config) -> int:
    given = config.getoption("conv_seed")
    of_hypothesis = config.getoption("--hypothesis-seed", None)
    if given is not None or of_hypothesis is None:
        return int(given or 0)
    text = str(of_hypothesis)  # which may be anything
    return int(text) if text.isdecimal() and len(text) <= 18 else zlib.crc32(text.encode())


def known_entries(config: pytest.Config, backend: str) -> tuple[KnownFailure, ...]:
    """The known failures of a backend."""
    from convcheck.campaign.known_failures_file import load_known_failures

    path = config.getoption("conv_known_failures")
    return load_known_failures(Path(path), (backend,)) if path else ()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the suite."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register what judges and what reports, if a backend is named, by whoever typed or by the project's settings."""
    from convcheck.model.settings import SettingsError, settings_above

    typed = bool(config.getoption("conv_backend"))
    try:
        add_defaults(config.option, settings_above(config.rootpath))
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    if config.getoption("conv_backend"):
        config.pluginmanager.register(_Reporter(config, backends_typed=typed), "convcheck-reporter")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each backend, dtype and clause, and one for each backend that is explored."""
    config = metafunc.config
    backends = _backends(config)
    if not backends and {"conv_explored", "conv_clause"} & set(metafunc.fixturenames):
        raise pytest.Collector.CollectError("no backend is named: pass --conv-backend SPEC, which may repeat")
    if "conv_explored" in metafunc.fixturenames:
        explored = backends if config.getoption("conv_explore") else []
        metafunc.parametrize("conv_explored", explored, ids=[Path(b).name for b in explored], scope="module")
    if "conv_clause" not in metafunc.fixturenames:
        return
    from convcheck_reference.clauses import CLAUSES

    parameters = [(b, d, c.id) for b, d in _judged_apart(config) for c in CLAUSES]
    ids = [f"{Path(b).name}|{d}|{c}" for b, d, c in parameters]
    metafunc.parametrize(("conv_backend", "conv_dtype", "conv_clause"), parameters, ids=ids)


@pytest.fixture(scope="session")
def conv_judgements(request: pytest.FixtureRequest) -> Judgements:
    """The judgements of this process."""
    reporter = request.config.pluginmanager.get_plugin("convcheck-reporter")
    assert isinstance(reporter, _Reporter)
    return reporter.judgements


class _Reporter:
    """Judges in the workers; collects records and writes the report where no controller is above."""

    def __init__(self, config: pytest.Config, *, backends_typed: bool) -> None:
        self.judgements = Judgements(config)
        self._backends_typed = backends_typed
        self._config = config
        self._records: list[Record] = []
        self._record: Record | None = None
        self._folder = Path()

    def pytest_sessionstart(self) -> None:
        """Refuse a backend that cannot be loaded, before anything runs."""
        if hasattr(self._config, "workerinput"):
            return
        if not self._backends_typed:
            return  # a project's other tests need none of them; those of the suite say what cannot be loaded
        self._check_files()
        specs = _backends(self._config)
        # each starts a process that may load an engine for seconds, and xdist's workers wait for all of them
        with ThreadPoolExecutor() as pool:
            for spec, error in zip(specs, pool.map(_error_of_loading, specs), strict=True):
                if error is not None:
                    raise _usage("--conv-backend", spec, error) from error

    def _check_files(self) -> None:
        """Refuse what cannot be read or written, before anything runs."""
        from convcheck.campaign.database import open_database
        from convcheck.campaign.known_failures_file import load_known_failures
        from convcheck.report.folder import check_writable
        from convcheck_reference.errors import ConvcheckError

        get = self._config.getoption
        known = partial(load_known_failures, backends=get("conv_backend"))
        for option, check, needed in (
            ("conv_known_failures", lambda text: known(Path(text)), False),
            ("conv_database", open_database, False),
            ("conv_report_dir", lambda text: check_writable(Path(text)), True),
        ):
            try:
                if get(option) or needed:
                    check(get(option))
            except ConvcheckError as error:
                raise _usage(f"--{option.replace('_', '-')}", get(option), error) from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send a fresh record with the report of the test that made it."""
        from convcheck.model.record_lines import to_lines

        report = yield
        if self.judgements.unsent:
            lines = ["\n".join(to_lines(record)) for record in self.judgements.unsent]
            setattr(report, _ATTRIBUTE, lines)
            self.judgements.unsent.clear()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the records that tests bring along."""
        from convcheck.model.record_lines import from_lines

        if not hasattr(self._config, "workerinput"):
            for text in getattr(report, _ATTRIBUTE, ()):
                self._records.append(from_lines(text.split("\n")))

    def pytest_sessionfinish(self) -> None:
        """Write the report, once."""
        if not self._records:
            return
        from convcheck.model.record_merging import merged
        from convcheck.report import write_report

        get = self._config.getoption
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-pytest"
        command = shlex.join(["pytest", *self._config.invocation_params.args])
        self._folder = Path(get("conv_report_dir")) / name
        self._record = write_report(merged(self._records, name=name, command=command), self._folder)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where the report is, and on the pages of GitHub what is wrong."""
        if self._record is None:
            return
        terminalreporter.write_line(f"convcheck report: {self._folder / 'index.html'}")
        if self._config.getoption("conv_github"):
            from convcheck.report.github import workflow_commands, write_job_summary

            for line in workflow_commands(self._record):
                terminalreporter.write_line(line)
            write_job_summary(self._record)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the tests of one backend and dtype together; spread all others one by one."""
        if config.getoption("dist") != "load":
            return None
        from xdist.scheduler import LoadScopeScheduling

        class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
            def _split_scope(self, nodeid: str) -> str:
                return nodeid.rpartition("|")[0] if _TEST in nodeid else nodeid

        return Scheduling(config, log)


def _usage(option: str, given: str, error: Exception) -> pytest.UsageError:
    from convcheck.report.tables import printable

    return pytest.UsageError(printable(f"{option} {given[:200]}: {error}"))


def _error_of_loading(spec: str) -> Exception | None:
    """Why a backend cannot be loaded; None if it can, or is not there on this machine: its tests say so."""
    from convcheck.execution import open_candidate
    from convcheck.plugin.backend import UnavailableError
    from convcheck_reference.errors import ConvcheckError

    try:
        open_candidate(spec).close()
    except UnavailableError:
        return None
    except ConvcheckError as error:
        return error
    return None
