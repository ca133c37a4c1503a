"""Who watches an untrusted candidate, as the judge sees it; see `convcheck.execution.confinement.supervisor`."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar

from convcheck.execution.channel import Channel
from convcheck.execution.codec import Makers, MessageError
from convcheck.execution.confinement.guarantees import guarantees
from convcheck.execution.confinement.linux import ConfinementError
from convcheck.execution.confinement.sightings import Left, Remaining, Seen, Sighted, Standing, Standings
from convcheck.execution.confinement.walls import Walls
from convcheck.execution.messages import Answer
from convcheck.model.calls import Returned
from convcheck.model.guarantees import Guarantee

STOPPED: Final = "what stops the watch over convolutions"
"""In place of the names of what was called, where nobody could see."""

_LIMIT: Final = 60.0
"""Seconds in which the watcher answers, whatever the machine is busy with: it reads what is there, no more."""

_BRIEFLY: Final = 5.0
"""Seconds in which it ends a candidate."""

_TOLD: Final[Makers] = {"Left": Left, "Sighted": Sighted, "Standings": Standings, "Walls": Walls}

_Answered = TypeVar("_Answered", Sighted, Standings)


class Watcher:
    """The judge's connection to who watches a worker.

    Args:
        connected: the socket; owned from here on.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._channel = Channel(connected, _TOLD)

    def guarantees(self) -> tuple[Guarantee, ...]:
        """What is guaranteed of the candidate.

        Raises:
            ConfinementError: nobody is there to ask any more.
        """
        return guarantees(self._asked(Standing(), Standings).walls)

    def completed(self, answer: Answer) -> Answer:
        """An answer with what was seen before it, whatever the candidate says of that.

        Args:
            answer: as the worker told it.

        Raises:
            ConfinementError: nobody is there to ask any more.
        """
        seen, outcome = self._asked(Seen(answer.number), Sighted), answer.outcome
        if isinstance(outcome, Returned):
            names = seen.names if seen.watched else (STOPPED,)
            outcome = replace(outcome, called=tuple(dict.fromkeys((*names, *(outcome.called or ())))))
        # it looked when the answer was made, where it can; by now the next call may have started something
        return replace(answer, outcome=outcome, children=answer.children or tuple(seen.children))

    def left(self) -> tuple[tuple[int, str], ...]:
        """End the candidate, if it has not ended, with all that it has started: the numbers and commands of that."""
        with suppress(OSError):
            self._channel.send(Remaining(), _BRIEFLY)
        try:
            told = self._channel.receive(_BRIEFLY)
        except (EOFError, OSError, MessageError):
            return ()
        return tuple((pid, command) for pid, command in told.processes) if isinstance(told, Left) else ()

    def close(self) -> None:
        """Let the watcher go, which ends the candidate too."""
        self._channel.close()

    def _asked(self, question: Seen | Standing, answered: type[_Answered]) -> _Answered:
        try:
            self._channel.send(question, _LIMIT)
            found = self._channel.receive(_LIMIT)
        except (EOFError, OSError, MessageError) as error:
            raise ConfinementError("whoever watches the candidate is gone, or does not answer") from error
        if not isinstance(found, answered):
            raise ConfinementError("the candidate has ended")
        return found
