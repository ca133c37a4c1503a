"""Who watches an untrusted candidate, as the judge sees it; see `convcheck.execution.confinement.supervisor`."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any, Final

from convcheck.execution.channel import Channel
from convcheck.execution.codec import Makers, MessageError
from convcheck.execution.confinement.guarantees import guarantees
from convcheck.execution.confinement.linux import ConfinementError
from convcheck.execution.confinement.sightings import Seen, Sighted, Standing, Standings
from convcheck.execution.confinement.walls import Walls
from convcheck.model.calls import Raised, Returned
from convcheck.model.guarantees import Guarantee

STOPPED: Final = "what stops the watch over convolutions"
"""In place of the names of what was called, where nobody could see."""

_LIMIT: Final = 60.0
"""Seconds in which the watcher answers, whatever the machine is busy with: it reads what is there, no more."""

_TOLD: Final[Makers] = {"Sighted": Sighted, "Standings": Standings, "Walls": Walls}


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
        found = self._asked(Standing())
        assert isinstance(found, Standings)
        return guarantees(found.walls)

    def completed(self, number: int, outcome: Returned | Raised) -> Returned | Raised:
        """An outcome with what was seen before the answer that brought it, whatever the candidate says of that.

        Args:
            number: of the answer.
            outcome: as the worker told it.

        Raises:
            ConfinementError: nobody is there to ask any more.
        """
        seen = self._asked(Seen(number))
        if isinstance(outcome, Raised):
            return outcome
        names = seen.names if seen.watched else (STOPPED,)
        return replace(outcome, called=tuple(dict.fromkeys((*names, *(outcome.called or ())))))

    def close(self) -> None:
        """Let the watcher go, which ends the candidate too."""
        self._channel.close()

    def _asked(self, question: Seen | Standing) -> Any:
        try:
            self._channel.send(question, _LIMIT)
            return self._channel.receive(_LIMIT)
        except (EOFError, OSError, MessageError) as error:
            raise ConfinementError("whoever watches the candidate is gone, or does not answer") from error
