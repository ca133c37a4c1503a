"""The messages between a judge and a worker, and which of them each side accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from convcheck.execution.codec import Makers, MessageError
from convcheck.model.calls import Call, Mode, Operation, Raised, Returned, Tensor
from convcheck.model.capabilities import Capabilities, CapabilityError
from convcheck.model.profiles import Profile
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.own_words import OwnWordsError, ScriptCall
from convcheck.plugin.registry_errors import (
    BackendConstructorError,
    BackendFileError,
    BackendImportError,
    BackendNameError,
    BackendOptionError,
    BackendSignatureError,
    DuplicateBackendError,
    RegistryError,
)
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import Format
from convcheck_reference.params import Arguments

_LONGEST_TEXT: Final = 20_000
MOST_TEXT: Final = 1 << 22
"""Bytes that a worker sends at most in a message, arrays excepted."""

_ERRORS: Final = {
    error.__name__: error
    for error in (
        BackendConstructorError, BackendFileError, BackendImportError, BackendNameError, BackendOptionError,
        BackendSignatureError, CapabilityError, DuplicateBackendError, OwnWordsError, RegistryError, UnavailableError,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded its backend, in so many seconds."""

    name: str
    capabilities: Capabilities
    versions: Mapping[str, str]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker could not load its backend: the class and the message of the error."""

    kind: str
    message: str

    def error(self) -> ConvcheckError:
        """The error as the registry raised it in the worker."""
        return _ERRORS.get(self.kind, RegistryError)(self.message)


@dataclass(frozen=True, slots=True)
class Reload:
    """Make a fresh backend in the same process; answered by `Ready` or `Failed`."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The device computes nothing more for this process: why, as the last answer of a worker."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls to make one after the other; the first has the number `first`."""

    first: int
    calls: tuple[Call, ...]

    @property
    def in_order(self) -> tuple[Call, ...]:
        """The calls as they are answered."""
        return self.calls


@dataclass(frozen=True, slots=True, eq=False)
class CallsAtOnce:
    """Calls of several threads, to make at the same time; answered in order, the first has the number `first`."""

    first: int
    threads: tuple[tuple[Call, ...], ...]

    @property
    def in_order(self) -> tuple[Call, ...]:
        """The calls as they are answered."""
        return tuple(chain.from_iterable(self.threads))


@dataclass(frozen=True, slots=True)
class Twice:
    """A call has returned in the worker and in a child that it forked: the last answer of a worker."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of one call.

    Attributes:
        number: of the call, so that nobody can answer twice.
        outcome: of the call.
        children: numbers of the processes that the worker has started and that are alive.
    """

    number: int
    outcome: Returned | Raised
    children: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class InOwnWords:
    """What a backend says of a `ScriptCall`: lines of Python."""

    lines: tuple[str, ...]


def _call(*, operation: str, mode: str = Mode.USUAL, **others: Any) -> Call:
    return Call(operation=Operation(operation), mode=Mode(mode), **others)


def _ready(*, name: Any, capabilities: Any, versions: Any, seconds: Any = 0.0) -> Ready:
    if not isinstance(capabilities, Capabilities) or type(seconds) is not float:
        raise MessageError("malformed message: capabilities of another kind, or no seconds")
    return Ready(_text(name), capabilities, _texts(versions), seconds)


def _lost(*, reason: Any) -> Lost:
    return Lost(_text(reason))


def _in_own_words(*, lines: Any) -> InOwnWords:
    if not all(type(line) is str for line in lines):
        raise MessageError("malformed message: a line that is no text")
    return InOwnWords(tuple(lines))  # not cut: some hold a model


def _failed(*, kind: Any, message: Any) -> Failed:
    return Failed(_text(kind), _text(message))


def _answer(*, number: Any, outcome: Any, children: Any = ()) -> Answer:
    if type(number) is not int or not isinstance(outcome, Returned | Raised):
        raise MessageError("malformed message: an answer without a number or an outcome")
    if not all(type(child) is int for child in children):
        raise MessageError("malformed message: a process without a number")
    return Answer(number, outcome, tuple(children))


def _raised(*, kind: Any, message: Any, traceback: Any = "", left: Any = ()) -> Raised:
    return Raised(_text(kind), _text(message), _text(traceback), tuple(map(_text, left)))


def _returned(
    *,
    arrays: Any,
    malformed: Any,
    poisoned: Any = False,
    called: Any = None,
    others: Any = 0,
    first_other: Any = 0,
    other: Any = (),
    **names: Any,
) -> Returned:
    for name, array in (*dict(arrays).items(), *dict(other).items()):
        if type(name) is not str or not (array is None or isinstance(array, np.ndarray)):
            raise MessageError("malformed message: a result that is no array")
    if type(others) is not int or type(first_other) is not int or min(others, first_other) < 0:
        raise MessageError("malformed message: a number of answers that is none")
    found = {what: tuple(map(_text, listed)) for what, listed in names.items()}
    watched = None if called is None else tuple(map(_text, called))
    return Returned(
        arrays=arrays,
        malformed=_texts(malformed),
        poisoned=poisoned is True,
        called=watched,
        others=others,
        first_other=first_other,
        other=dict(other),
        **found,
    )


def _texts(mapping: Any) -> dict[str, str]:
    return {_text(name): _text(text) for name, text in mapping.items()}


def cut(text: str) -> str:
    """As much of a text as is sent: its beginning and its end."""
    half = _LONGEST_TEXT // 2
    return text if len(text) <= _LONGEST_TEXT else f"{text[: half - 1]}…{text[-half:]}"


def _text(value: Any) -> str:
    """Text that can be written to any report: no lone surrogates, no endless lines."""
    if type(value) is not str:
        raise MessageError(f"malformed message: a {type(value).__name__} in place of a text")
    return cut(value).encode("utf-8", "replace").decode()


TO_WORKER: Final[Makers] = {
    "Calls": Calls,
    "CallsAtOnce": CallsAtOnce,
    "Reload": Reload,
    "ScriptCall": ScriptCall,
    "Call": _call,
    "Tensor": Tensor,
    "Arguments": Arguments,
}
"""What a worker accepts."""

TO_JUDGE: Final[Makers] = {
    "Ready": _ready,
    "Failed": _failed,
    "Answer": _answer,
    "InOwnWords": _in_own_words,
    "Lost": _lost,
    "Twice": Twice,
    "Returned": _returned,
    "Raised": _raised,
    "Capabilities": Capabilities,
    "Profile": Profile,
    "Format": Format,
}
"""What a judge accepts: every field is looked at, because whoever sends it may be hostile."""
