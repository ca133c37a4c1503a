"""Which calls have left processes behind: told apart from a pool of helpers that ends with the program.

A worker says after each call which processes descend from it. Some are legal: an engine may compile or compute in
processes of its own, as long as they end with the program that they belong to. So a worker that has new ones is ended
as a program is, with all that its libraries do at its exit; what is alive then was left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_SHOWN: Final = 3
"""Commands that are shown."""

_SEEN: Final = 3
"""Workers that have left processes behind before nobody waits any more for those of another to end."""


class Offspring:
    """The processes of one candidate's workers."""

    def __init__(self) -> None:
        self._trusted = 0
        self._seen = 0
        self.forget()

    def forget(self) -> None:
        """The worker is a fresh one."""
        self._alive: tuple[int, ...] = ()
        self._caller: dict[int, int] = {}

    def next_calls(self) -> None:
        """Calls are numbered from 0 again."""
        self._caller.clear()

    def saw(self, call: int, alive: Iterable[int]) -> None:
        """After the call of this number, these processes are alive."""
        alive = tuple(alive)
        self._caller.update(dict.fromkeys({*alive} - {*self._alive}, call))
        self._alive = alive

    @property
    def suspicious(self) -> bool:
        """Whether calls have started more than has been seen to end with the program."""
        return bool(self._caller) and len(self._alive) > self._trusted

    @property
    def doubtful(self) -> bool:
        """Whether they may still end with the program, as they should."""
        return self._seen < _SEEN

    def left_by(self, left: Iterable[tuple[int, str]]) -> Mapping[int, str]:
        """What each call has left behind, in words, by its number, when the worker has ended as a program does."""
        by_call: dict[int, list[str]] = {}
        for pid, command in left:
            by_call.setdefault(self._caller.get(pid, max(self._caller.values())), []).append(command)
        if by_call:
            self._seen += 1
        else:
            self._trusted = len(self._alive)
        return {call: _in_words(commands) for call, commands in by_call.items()}


def _in_words(commands: list[str]) -> str:
    shown = ", ".join(commands[:_SHOWN]) + (", …" if len(commands) > _SHOWN else "")
    return f"{len(commands)} {'process' if len(commands) == 1 else 'processes'} ({shown})"
