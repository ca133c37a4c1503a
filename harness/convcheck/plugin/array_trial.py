"""Whose arrays a function takes, found out by calling it once on a tiny layer.

The call is made in a process that descends from this one, where that can be forked: it may crash, hang, stop its parent
or leave something behind, and the first call that is judged has to be the first one of its process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NoReturn

import numpy as np

from convcheck.model.system import may_fork
from convcheck.plugin.arrays import ANY, arrays_of, is_readable, usual_device
from convcheck.plugin.candidate_errors import RAISED
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES

KINDS: Final = ("numpy", "torch")
"""In the order in which they are tried where nothing speaks for one of them."""

NAMES: Final[Mapping[str, str]] = {"numpy": "NumPy's arrays", "torch": "torch's tensors"}

_LIMIT: Final = 3.0
_LONG_LIMIT: Final = 20.0
"""Seconds that the call may take where its text speaks for one of them, and where nothing does."""

_SHAPES: Final = ((1, 4, 6, 6), (8, 4, 3, 3), (8,))
_LAYER: Final[Mapping[str, Any]] = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}

_ENDED: Final = "it ended the process, or took too long"


class UnknownArraysError(ConvcheckError, TypeError):
    """A function that takes neither NumPy's arrays nor torch's tensors nor others, as far as a call tells."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of calling a function with the arrays of one library.

    Attributes:
        kind: the library.
        returned: whether it returned an array of that; whether it is right is for the judge.
        readable: whether it returned another that NumPy can read, by DLPack or `__array__`.
        said: what it raised or returned instead, in one line.
    """

    kind: str
    returned: bool = False
    readable: bool = False
    said: str = ""


def arrays_taken(
    function: Callable[..., Any], keywords: Sequence[str], dtype: str, guess: str | None, others: tuple[str, ...] = ()
) -> str:
    """The library whose arrays a function takes: it returns them where it is given them. Asked once in a process.

    Where it returns only others that can be read, given NumPy's, it is `convcheck.plugin.arrays.ANY`.

    Args:
        function: it is called.
        keywords: besides the three tensors.
        dtype: of these.
        guess: what is believed where no call tells; None for nothing.
        others: more libraries that are imported where the function stands.

    Raises:
        UnknownArraysError: no call tells, nothing is believed, and it fails with each in its own way.
    """
    asked = _tried if isinstance(function, Hashable) else _tried.__wrapped__
    limit = _LIMIT if guess and not others else _LONG_LIMIT
    trials = asked(function, tuple(keywords), dtype, _worth_trying(guess, others), limit)
    if trials[-1].returned:
        return trials[-1].kind
    if any(trial.readable for trial in trials if trial.kind == "numpy"):
        return ANY
    said = {trial.said for trial in trials}
    if guess is None and len(said) > 1 and _ENDED not in said:
        each = "; ".join(f"on {NAMES.get(trial.kind, f'arrays of {trial.kind}')} {trial.said}" for trial in trials)
        raise UnknownArraysError(
            f"what it takes cannot be told: {each}; declare it: @convcheck.capabilities(arrays='numpy'), 'torch', …"
        )
    return guess or KINDS[0]


def _worth_trying(guess: str | None, others: tuple[str, ...]) -> tuple[str, ...]:
    """The libraries, what is believed first; torch is imported only where something speaks for it, or nothing does."""
    for_others = guess == "numpy" or (guess is None and others)
    if find_spec("torch") is None or (for_others and "torch" not in sys.modules):
        return (*KINDS[:1], *others)
    return (*(sorted(KINDS, key=lambda kind: kind != guess) if guess else KINDS), *others)


@lru_cache(maxsize=16)
def _tried(
    function: Callable[..., Any], keywords: tuple[str, ...], dtype: str, kinds: tuple[str, ...], limit: float
) -> tuple[Trial, ...]:
    """Trials until one returns what it was given, or ends its process."""
    trials: list[Trial] = []
    for kind in kinds:
        if kind in KINDS:
            import_module(kind)  # here, so that forks have it
        trials.append(_apart(partial(_called, function, keywords, dtype, kind), limit) or Trial(kind, said=_ENDED))
        if trials[-1].returned or trials[-1].said == _ENDED:
            break
    return tuple(trials)


def _called(function: Callable[..., Any], keywords: Sequence[str], dtype: str, kind: str) -> Trial:
    arrays = [np.ones(shape, DTYPES[dtype]) for shape in _SHAPES]
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            carrier = arrays_of(kind, usual_device(kind), ())
            tensors = [carrier.to_native(array) for array in arrays]
            with carrier.current():
                result = function(*tensors, **{name: _LAYER[name] for name in keywords})
    except RAISED as error:
        return Trial(kind, said=f"it raised {_one_line(error)}")
    if isinstance(result, type(tensors[0])):
        return Trial(kind, returned=True)
    said = f"it returned a {type(result).__module__}.{type(result).__name__}"
    return Trial(kind, readable=is_readable(result), said=said)


def _one_line(error: BaseException) -> str:
    try:
        said = " ".join("".join(traceback.format_exception_only(error)).split())
    except Exception:  # noqa: BLE001  (its own text may raise as well)
        said = type(error).__name__
    return said if len(said) <= 300 else f"{said[:300]}…"


def _apart(make: Callable[[], Trial], limit: float) -> Trial | None:
    """What a descendant of this process comes to; None where it does not come to its end."""
    if not may_fork():
        return make()
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:  # there may be no more processes
        os.close(reading)
        os.close(writing)
        return make()
    if child == 0:
        _be_its_parent(make, writing)
    os.close(writing)
    try:
        return _read(reading, child, limit)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _be_its_parent(make: Callable[[], Trial], writing: int) -> NoReturn:
    """Stand between this process and that which makes the call, in a group of their own."""
    try:
        os.setpgid(0, 0)
        if grandchild := os.fork():
            os.close(writing)
            os.waitpid(grandchild, 0)
        else:
            _make(make, writing)
    finally:
        os._exit(0)


def _make(make: Callable[[], Trial], writing: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what is printed, by a crash as well, is not of a call that is judged
    os.dup2(nowhere, 2)
    os.write(writing, f"{json.dumps(asdict(make()))}\n".encode())


def _read(reading: int, process: int, limit: float) -> Trial | None:
    """What is said in a line; nothing where that does not come in time, or the process ends before."""
    said, until = b"", time.monotonic() + limit
    ending = [os.pidfd_open(process)] if hasattr(os, "pidfd_open") else []
    try:
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([reading, *ending], [], [], max(0.0, until - time.monotonic()))
            some = os.read(reading, 4096) if reading in ready else b""
            if not some:
                return None
            said += some
    finally:
        for descriptor in ending:
            os.close(descriptor)
    try:
        return Trial(**json.loads(said))
    except (ValueError, TypeError):
        return None
