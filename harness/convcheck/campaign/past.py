"""The past of a run: what its journal says was judged, read a part at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from convcheck.campaign.journal import JOURNAL, KINDS, SCHEMA, Begun, Cases, Judged, Opened, PartDone
from convcheck.campaign.stretch import Answer, Stretch
from convcheck.judging.tally import Tally
from convcheck.model.case import Case
from convcheck.model.origins import Origin
from convcheck.model.record_checks import RecordFieldError, check
from convcheck.model.record_lines import RecordError, validated
from convcheck.model.token import read

WHOLE: Final = frozenset({Origin.HISTORY, Origin.LONG_HISTORY, Origin.SANITIZED})
"""Origins whose parts come in one stretch, or not at all."""


@dataclass(frozen=True, slots=True)
class PastPart:
    """What was judged of a part.

    Attributes:
        tally: what it came to.
        cases: in order.
        answers: that steered the search for them, of a searched part.
        done: whether nothing is left of the part to be judged.
    """

    tally: Tally = field(default_factory=Tally)
    cases: tuple[Case, ...] = ()
    answers: tuple[Answer, ...] = ()
    done: bool = False


NOTHING: Final = PastPart()
"""Of a part that nobody has begun."""


class Past:
    """A journal, as far as it goes; where its parts begin is looked up once, and each is read when it is asked for.

    Args:
        journal: the file.

    Raises:
        RecordError: it is no journal of this version of convcheck's; the message names the line.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._parts: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        self.opened: dict[int, Opened] = {}
        self.judged: dict[int, Judged] = {}
        begun: Begun | None = None
        for number, offset, entry in self._entries():
            kind = entry.get("kind")
            if kind in ("cases", "part"):
                self._parts[_part_of(number, entry)].append((number, offset))
                continue
            line = _line(number, entry)
            if isinstance(line, Begun):
                begun = begun or line
            elif isinstance(line, Opened):
                self.opened.setdefault(line.at, line)
            elif isinstance(line, Judged):
                self.judged[line.at] = line
        if begun is None:
            raise RecordError(f"{journal} does not say what run it is of; expected the {JOURNAL} of a run")
        self.begun = begun

    def numbers(self, at: int) -> tuple[int, ...]:
        """The indices of the parts that were begun of a backend, in order."""
        return tuple(sorted(part for backend, part in self._parts if backend == at))

    def part(self, at: int, part: int) -> PastPart:
        """What was judged of one part of a backend.

        Raises:
            RecordError: a line of it is none; the message names line and field.
        """
        if (at, part) not in self._parts:
            return NOTHING
        stretches, ends = list[Stretch](), list[PartDone]()
        with self._journal.open("rb") as file:
            for number, offset in self._parts[at, part]:
                file.seek(offset)
                line = _line(number, json.loads(file.readline()))
                if isinstance(line, Cases):
                    stretches.append(line.stretch)
                elif isinstance(line, PartDone):
                    ends.append(line)
        return _together(part, stretches, ends)

    def _entries(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Number, offset and content of every whole line."""
        offset = 0
        try:
            with self._journal.open("rb") as file:
                for number, line in enumerate(file, 1):
                    with suppress(ValueError):  # it was cut off
                        entry = json.loads(line)
                        if isinstance(entry, dict):
                            yield number, offset, entry
                    offset += len(line)
        except OSError as error:
            raise RecordError(f"{self._journal} cannot be read: {error.strerror}; expected a run's folder") from error


def _part_of(number: int, entry: dict[str, Any]) -> tuple[int, int]:
    where = entry.get("stretch") if entry["kind"] == "cases" else entry
    at, part = entry.get("at"), where.get("part") if isinstance(where, dict) else None
    if type(at) is not int or type(part) is not int:
        raise RecordError(f"line {number}: field part: of which part of which backend it is; expected two numbers")
    return at, part


def _line(number: int, entry: dict[str, Any]) -> Any:
    kind = entry.pop("kind", None)
    if kind not in KINDS:
        raise RecordError(f"line {number}: kind {kind}; expected one of {', '.join(KINDS)}")
    if kind == "run" and entry.get("schema") != SCHEMA:
        raise RecordError(f"line {number}: schema {entry.get('schema')}; this convcheck reads schema {SCHEMA}")
    line = validated(number, entry, KINDS[kind])
    return _checked(number, line) if isinstance(line, Judged) else line


def _checked(number: int, judged: Judged) -> Judged:
    try:
        for item in (judged.backend, *judged.findings):
            check(item)
    except RecordFieldError as error:
        raise RecordError(f"line {number}: {error}") from error
    return judged


def _together(part: int, stretches: Sequence[Stretch], ends: Sequence[PartDone]) -> PastPart:
    """What was judged by the attempt that came to the end, or by the one that came furthest."""
    chains: dict[str, tuple[Stretch, ...]] = {}
    for stretch in stretches:
        before = chains.get(stretch.attempt)
        if before is None:  # it goes on where another was when it began, or begins anew
            others = (chain for chain in chains.values() if _length(chain) == stretch.first)
            before = next(others, ()) if stretch.first else ()
        chains[stretch.attempt] = (*before, stretch)
    end = next((end for end in ends if end.attempt in chains), ends[0] if ends else None)
    chain = max(chains.values(), key=_length, default=())
    if end is not None:
        chain = chains.get(end.attempt, chain)
    return _past(part, chain, end)


def _length(chain: Sequence[Stretch]) -> int:
    return chain[-1].first + len(chain[-1].cases) if chain else 0


def _past(part: int, stretches: Sequence[Stretch], end: PartDone | None) -> PastPart:
    tally = Tally()
    for stretch in stretches:
        tally.add(stretch.tally())
    cases = tuple(read(token) for stretch in stretches for token in stretch.cases)
    if end is not None:
        tally.failures = [line.failure(part) for line in end.failures]
        for name, seconds in end.seconds.items():
            tally.seconds[name] += seconds
    if tally.failures and tally.origins[Origin.SEARCHED]:
        tally.searched[part] = cases
    answers = tuple(answer for stretch in stretches for answer in stretch.answers)
    whole = any(origin in WHOLE for origin in tally.origins)
    return PastPart(tally, cases, answers, end is not None or whole)
