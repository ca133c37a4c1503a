"""What a backend says of a call in its engine's own words, asked where the engine is."""

from __future__ import annotations

from typing import Final

from convcheck.execution.codec import MessageError
from convcheck.execution.launch import trusted
from convcheck.execution.messages import Failed, InOwnWords
from convcheck.execution.worker_supply import WorkerSupply
from convcheck.plugin.own_words import OwnWordsError, ScriptCall, said_by
from convcheck.plugin.placed import Placed
from convcheck.plugin.registry import load

_LIMIT: Final = 60.0
"""Seconds that a worker has for it."""


def own_words(spec: str, call: ScriptCall) -> tuple[str, ...]:
    """Lines of Python that make the call, as `Backend.script_lines` has them.

    A backend of this environment is asked in this process, one of another in its worker there: what it imports may be
    nowhere else, and what it says may depend on the release.

    Args:
        spec: of the backend.
        call: what the lines are to make.

    Raises:
        ConvcheckError: the backend cannot be loaded, or does not say it.
    """
    if Placed.of(spec) is None:
        return said_by(load(spec), call)
    supply = WorkerSupply(spec, trusted, most_ahead=0)
    try:
        return _asked(supply, call)
    finally:
        supply.close()


def _asked(supply: WorkerSupply, call: ScriptCall) -> tuple[str, ...]:
    worker = supply.worker
    try:
        worker.channel.send(call, _LIMIT)
        answer = worker.channel.receive(_LIMIT)
    except TimeoutError as error:
        raise OwnWordsError(f"script_lines did not return within {_LIMIT:g} s") from error
    except MessageError as error:
        raise OwnWordsError(f"what script_lines returned cannot be sent: {error}") from error
    except (EOFError, OSError) as error:
        ending = worker.process.end()
        raise OwnWordsError(f"the process of script_lines ended: {ending.how}\n{ending.stderr}") from error
    if isinstance(answer, Failed):
        raise answer.error()
    if not isinstance(answer, InOwnWords):
        raise OwnWordsError(f"the process of script_lines answered with {type(answer).__name__}")
    return answer.lines
