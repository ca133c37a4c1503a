"""The trace of torch's dispatcher: every operator that any thread of a process calls, written to a pipe as it ends.

It is torch's execution trace, which its profiler keeps for others: the dispatcher itself calls it, below Python's
dispatch modes and whatever thread an operator runs on, and forked children inherit it. From Python it cannot be
stopped once it is on: the functions that could are taken away, and nobody else has them.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_SIZE: Final = 1 << 20
_MARK: Final = "convcheck:mark:"
_CALLED: Final = "convcheck:called:"
_MOST_NUMBERS: Final = 10_000
_MOST_NAMES: Final = 100
_MOST_KEPT: Final = 1 << 16
"""What a reader keeps at most, of numbers, of names before each, and of a line: the candidate decides what it reads."""

_LONG: Final = ":" + 1024 * "-"
"""What is longer is not kept in a buffer of the stream, nor is anything before it."""
_NAMESPACES: Final = "aten|prims|prim|mkldnn|mkldnn_prepacked|onednn|quantized|_quantized|prepacked|xnnpack|torchvision"
_OPERATOR: Final = rf"(?P<operator>(?:{_NAMESPACES})::\w{{0,60}}conv(?!ert)\w{{0,60}})"
_SEEN: Final = re.compile(
    rf'"name": "(?:{_OPERATOR}|{_CALLED}(?P<other>[\w.]{{1,99}}):-+|{_MARK}(?P<mark>\d{{1,18}}):-+)"'.encode()
)
_OF_INTEREST: Final = b"conv"
_SWITCHES: Final = (
    *(f"{what}_execution_trace_observer" for what in ("_add", "_remove", "_enable", "_disable")),
    "_enable_record_function",
    "_clear_callbacks",
    "_set_empty_test_observer",
)
_HOLDERS: Final = ("torch._C._profiler", "torch.profiler.profiler", "torch._C._autograd", "torch.autograd")


def start() -> tuple[int, int]:
    """Begin the trace of this process, for good: the descriptor it is read from, and the one it is written to."""
    reading, writing = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _SIZE)
    os.set_blocking(reading, False)
    before = _pipes(writing)
    with _silent():
        _switch_on(f"/dev/fd/{writing}")
    (used,) = _pipes(writing) - before
    os.close(writing)
    _take_switches()
    return reading, used


def marker() -> Callable[[int], None]:
    """What puts a number into the trace; what was called before comes before it."""
    put = _writer()
    return lambda number: put(f"{_MARK}{number}{_LONG}")


def noter() -> Callable[[str], None]:
    """What puts a name into the trace, of a function that is not torch's."""
    put = _writer()
    return lambda name: put(f"{_CALLED}{name}{_LONG}")


class Reader:
    """Reads a trace: the convolutions called before each number.

    Args:
        descriptor: that it is read from.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self._called: dict[str, None] = {}
        self._before: dict[int, tuple[str, ...]] = {}

    def read(self) -> None:
        """Read what is there."""
        with suppress(BlockingIOError):
            while arrived := os.read(self._descriptor, _SIZE):
                self._take(self._rest + arrived)

    def before(self, number: int) -> tuple[str, ...] | None:
        """The names of what was called up to a number, the latest first; None if the trace does not hold that."""
        self.read()
        return self._before.pop(number, None)

    def _take(self, text: bytes) -> None:
        end = text.rfind(b"\n") + 1
        self._rest = text[end:][-_MOST_KEPT:]
        for found in _found(text[:end]):
            if mark := found["mark"]:
                self._before[int(mark)] = tuple(reversed(self._called))
                self._called.clear()
                if len(self._before) > _MOST_NUMBERS:  # which the judge does not ask for
                    del self._before[next(iter(self._before))]
            elif len(self._called) == _MOST_NAMES:
                continue
            elif operator := found["operator"]:
                self._called[f"torch.ops.{operator.decode().replace('::', '.')}"] = None
            else:
                self._called[found["other"].decode()] = None


def _found(text: bytes) -> Iterator[re.Match[bytes]]:
    """The lines that name something of interest: few, and there are many of the others."""
    at = text.find(_OF_INTEREST)
    while at >= 0:
        stop = text.find(b"\n", at)
        if found := _SEEN.search(text, text.rfind(b"\n", 0, at) + 1, stop):
            yield found
        at = text.find(_OF_INTEREST, stop)


def _writer() -> Callable[[str], None]:
    from torch._C import _autograd  # noqa: PLC0415  (only where it is needed)

    enter: Any = _autograd._record_function_with_args_enter  # noqa: SLF001
    leave: Any = _autograd._record_function_with_args_exit  # noqa: SLF001
    return lambda text: leave(enter(text))


def _switch_on(path: str) -> None:
    from torch._C import _profiler  # noqa: PLC0415  (as above)

    profiler: Any = _profiler
    profiler._add_execution_trace_observer(path)  # noqa: SLF001
    profiler._enable_execution_trace_observer()  # noqa: SLF001


def _take_switches() -> None:
    for holder in map(import_module, _HOLDERS):
        for name in filter(vars(holder).__contains__, _SWITCHES):
            setattr(holder, name, _gone)


def _gone(*_: object, **__: object) -> bool:
    """In place of a switch that is taken away."""
    return False


def _pipes(like: int) -> set[int]:
    """The descriptors of this process that are the same file as one."""
    wanted = os.fstat(like)
    found = set()
    for opened in Path("/dev/fd").iterdir():
        with suppress(OSError):
            if os.path.samestat(os.fstat(int(opened.name)), wanted):
                found.add(int(opened.name))
    return found


@contextmanager
def _silent() -> Iterator[None]:
    """Without what torch says of the trace on the standard error output."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
