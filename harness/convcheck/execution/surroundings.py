"""What a call may leave changed around it: settings of the process that change what its caller's program does next.

Each is looked at before and after a call, and put back, so that the next call is unharmed. To look takes
microseconds. What nobody would miss is left alone: threads, caches, modules, generators of random numbers.

A call that imports a module may change what importing changes: filters of warnings, the environment, handlers of
signals. An engine does so at its first call.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` adds to it takes longer than all the rest
import gc
import locale
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from convcheck.execution.floating_point import SETTINGS as FLOATING_POINT
from convcheck.execution.torch_settings import settings_of_torch


def _the(name: str) -> Callable[[Any, Any], str]:
    return lambda _before, _after: name


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the process.

    Attributes:
        read: its value.
        restore: gives it a value back.
        named: what it is called, by its values before and after.
        imports: whether importing a module may change it.
    """

    read: Callable[[], Any]
    restore: Callable[[Any], object]
    named: Callable[[Any, Any], str]
    imports: bool = False


class Surroundings:
    """The settings as they are now."""

    def __init__(self) -> None:
        self._modules = len(sys.modules)
        self._settings = _ALWAYS + _of_torch(sys.modules.get("torch"))
        self._values = self._read()

    def restored(self) -> tuple[str, ...]:
        """Put back what has changed, and name it."""
        now = self._read()
        return () if now == self._values else tuple(self._changes(now))

    def _read(self) -> list[Any]:
        return [setting.read() for setting in self._settings]

    def _changes(self, now: Sequence[Any]) -> Iterator[str]:
        imported = len(sys.modules) != self._modules
        for setting, before, after in zip(self._settings, self._values, now, strict=True):
            if after == before or (imported and setting.imports):
                continue
            yield setting.named(before, after)
            with suppress(Exception):  # what cannot be put back is named at least
                setting.restore(before)


@cache
def _of_torch(torch: Any) -> tuple[Setting, ...]:
    """Those of torch, which is not imported for that."""
    if torch is None:
        return ()
    return tuple(Setting(read, restore, _the(name)) for name, read, restore in settings_of_torch(torch))


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  (asked at every call)
    except OSError:  # it has been removed
        return ""


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _environment() -> Mapping[bytes, bytes]:
    return dict(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001  (to decode it takes longer than all else)


def _set_environment(before: Mapping[bytes, bytes]) -> None:
    for name in _differing(before, _environment()):
        if name in before:
            os.environb[name] = before[name]
        else:
            del os.environb[name]


def _differing(before: Mapping[bytes, bytes], after: Mapping[bytes, bytes]) -> list[bytes]:
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def _variables(before: Mapping[bytes, bytes], after: Mapping[bytes, bytes]) -> str:
    return f"the environment ({', '.join(sorted(map(os.fsdecode, _differing(before, after))))})"


_SIGNALS: Final = tuple(sorted(number for number in map(int, signal.Signals) if number < 32))


def _handlers() -> tuple[Any, ...]:
    return tuple(map(_signal.getsignal, _SIGNALS))


def _set_handlers(before: Sequence[Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # the system's rule
    for number, handler, now in zip(_SIGNALS, before, _handlers(), strict=True):
        if handler != now and handler is not None:
            signal.signal(number, handler)


def _signals(before: Sequence[Any], after: Sequence[Any]) -> str:
    changed = [signal.Signals(n).name for n, b, a in zip(_SIGNALS, before, after, strict=True) if a != b]
    return f"the handlers of signals ({', '.join(changed)})"


def _alarm() -> bool:
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _set_collecting(collecting: bool) -> None:
    (gc.enable if collecting else gc.disable)()


def _set_filters(before: Sequence[Any]) -> None:
    warnings.filters[:] = before  # type: ignore[index]  # a list, whatever its stub says


_ALWAYS: Final = (
    *(Setting(read, restore, _the(name)) for name, read, restore in FLOATING_POINT),
    Setting(np.geterr, lambda before: np.seterr(**before), _the("NumPy's handling of floating-point errors")),
    Setting(_folder, os.chdir, _the("the working directory")),
    Setting(_mask, os.umask, _the("the umask")),
    Setting(
        lambda: locale.setlocale(locale.LC_ALL),
        lambda before: locale.setlocale(locale.LC_ALL, before),
        _the("the locale"),
    ),
    Setting(_environment, _set_environment, _variables, imports=True),
    Setting(lambda: tuple(warnings.filters), _set_filters, _the("the filters of warnings"), imports=True),
    Setting(_handlers, _set_handlers, _signals, imports=True),
    Setting(_alarm, lambda _: signal.setitimer(signal.ITIMER_REAL, 0), _the("an alarm"), imports=True),
    Setting(sys.getrecursionlimit, sys.setrecursionlimit, _the("the recursion limit"), imports=True),
    Setting(gc.isenabled, _set_collecting, _the("whether garbage is collected"), imports=True),
)
