"""Several threads at the same time: they start together, and take turns as often as the interpreter allows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Final, TypeVar

Value = TypeVar("Value")

_TURN: Final = 1e-6
"""Seconds after which a thread that runs Python lets another: a kernel in Python is then interrupted within its work,
as one that releases the lock of the interpreter runs beside others by itself."""


def at_once(jobs: Sequence[Callable[[], Value]]) -> list[Value]:
    """What each job returns, run by a thread of its own.

    Raises:
        BaseException: what the first job that raises anything raised, when all have ended.
        RuntimeError: the system has no thread left.
    """
    together = Barrier(len(jobs))

    def run(job: Callable[[], Value]) -> Value:
        together.wait()
        return job()

    with _short_turns(), ThreadPoolExecutor(len(jobs)) as pool:
        try:
            running = [pool.submit(run, job) for job in jobs]
        except RuntimeError:
            together.abort()  # those that have started would wait for the others for ever
            raise
        return [each.result() for each in running]


@contextmanager
def _short_turns() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
