"""A candidate in a worker under a sanitizer: calls are made one at a time, and each comes back with its reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from convcheck.execution.sanitizer_launch import sanitized
from convcheck.execution.sanitizer_reports import reports
from convcheck.execution.subprocess_candidate import CALL_LIMIT, SubprocessCandidate
from convcheck.execution.wrapping_candidate import WrappingCandidate
from convcheck.model.calls import Call, Died, Hung, Outcome, Raised, Sanitized
from convcheck.model.sanitizers import Sanitizer

SLOWER: Final = 4.0
"""How much longer a call may take under a sanitizer."""

_AFTER_A_REPORT: Final = "an earlier call of the case was reported on"


class SanitizedCandidate(WrappingCandidate):
    """A backend in a worker under a sanitizer.

    After a report nothing can be relied on in a process, and on a device nothing works any more, so the worker is
    replaced. As that takes seconds, calls behind the first that is reported on are not made.

    Args:
        spec: what `convcheck.plugin.registry.load` takes.
        sanitizer: which.
        limit: seconds that a call may take without a sanitizer.

    Raises:
        UnavailableSanitizerError: the sanitizer is not installed.
        ConvcheckError: what `SubprocessCandidate` raises.
    """

    def __init__(self, spec: str, sanitizer: Sanitizer, limit: float = CALL_LIMIT) -> None:
        with ExitStack() as held:
            folder = Path(held.enter_context(TemporaryDirectory()))
            launcher = partial(sanitized, sanitizer=sanitizer, folder=folder)
            self._in_worker = SubprocessCandidate(spec, SLOWER * limit, launcher, most_ahead=1)  # reports are no deaths
            self._held = held.pop_all()
        super().__init__(self._in_worker)
        self._sanitizer = sanitizer
        self._log = _Log(folder, sanitizer)
        self._fresh = True
        self._writes_late = False

    def call(self, call: Call) -> Sanitized:
        """Make one call."""
        return self._made(call)

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls one after the other, up to the first that is reported on."""
        outcomes: list[Outcome] = []
        for call in calls:
            outcome = self._made(call)
            outcomes.append(outcome)
            if outcome.reports:
                break
        unseen = Sanitized(self._sanitizer, unseen=_AFTER_A_REPORT)
        return outcomes + [unseen] * (len(calls) - len(outcomes))

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of the threads one thread after the other: a report has to belong to a call."""
        return [self.call_all(calls) for calls in threads]

    def finish(self) -> tuple[str, ...]:
        """End the worker, and what it reported only then; from now on one that did is ended after each call."""
        self.restart()
        found = self._log.unread()
        self._writes_late |= bool(found)
        return found

    def restart(self) -> None:
        """Replace the worker by a fresh one, unless it is one."""
        if not self._fresh:
            self._in_worker.replace()  # what it reports at its end is waited for
            self._fresh = True

    def close(self) -> None:
        """End the worker, and remove its logs."""
        super().close()
        self._held.close()

    def _made(self, call: Call) -> Sanitized:
        outcome = self._candidate.call(_on_the_heap(call))
        self._fresh = isinstance(outcome, Died | Hung)
        if self._writes_late or self._log.has_unread:
            self.restart()  # what it writes at its end belongs to this call
        return Sanitized(self._sanitizer, self._log.unread(), _unseen(outcome))


class _Log:
    """What a sanitizer writes, a file for each process.

    Args:
        folder: of the files.
        sanitizer: which.
    """

    def __init__(self, folder: Path, sanitizer: Sanitizer) -> None:
        self._folder = folder
        self._sanitizer = sanitizer
        self._read = Counter[Path]()

    @property
    def has_unread(self) -> bool:
        """Whether there are reports that nobody has read."""
        return any(self._unread(path) for path in self._folder.iterdir())

    def unread(self) -> tuple[str, ...]:
        """The reports that nobody has read, which they are then."""
        found: list[str] = []
        for path in sorted(self._folder.iterdir()):
            unread = self._unread(path)
            self._read[path] += len(unread)
            found += unread
        return tuple(dict.fromkeys(found))

    def _unread(self, path: Path) -> tuple[str, ...]:
        return reports(self._sanitizer, path.read_text(errors="replace"))[self._read[path] :]


def _on_the_heap(call: Call) -> Call:
    """The call as it is made here: who dies by a report need not be asked what it did."""
    return replace(call, tensors={name: replace(tensor, memory="heap") for name, tensor in call.tensors.items()})


def _unseen(outcome: Outcome) -> str:
    """Why a call that was not reported on says nothing; an ordinary call judges that."""
    if isinstance(outcome, Died):
        return "the process ended during the call"
    if isinstance(outcome, Hung):
        return f"no result within {outcome.limit:g} s"
    return f"the call raised {outcome.kind}" if isinstance(outcome, Raised) else ""
