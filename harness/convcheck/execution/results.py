"""The results of a call: copies for the judge, and the originals kept to see whether they change later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.backend import Backend
from convcheck.calls import Returned
from convcheck.execution.codec import dtype_name

Array = NDArray[Any]


class Results:
    """The native results of the last call that returned, with copies of what they held.

    A reference to each is held, so no allocator may hand out its memory: whoever changes it keeps a
    pointer to what he has given away, or writes late.
    """

    def __init__(self) -> None:
        self._kept: Mapping[str, tuple[Any, Array]] = {}

    def overwritten(self, backend: Backend) -> tuple[str, ...]:
        """Names of the kept results that no longer hold what they held."""
        return tuple(name for name, (native, copy) in self._kept.items() if not _holds(backend, native, copy))

    def collect(self, backend: Backend, native: Mapping[str, Any]) -> Returned:
        """Copies of the results by name; the originals are kept in place of those kept before."""
        arrays: dict[str, Array | None] = {}
        malformed: dict[str, str] = {}
        kept: dict[str, tuple[Any, Array]] = {}
        for name, result in native.items():
            arrays[name] = None
            if result is None:
                continue
            try:
                # a copy: the candidate may write to its result again
                copy = np.array(backend.to_numpy(result), order="C", copy=True)
                dtype_name(copy.dtype)
            except Exception as error:  # noqa: BLE001  (whatever a candidate's result raises is a finding)
                malformed[name] = f"{type(error).__name__}: {error}"
                continue
            arrays[name], kept[name] = copy, (result, copy)
        self._kept = kept
        return Returned(arrays, malformed)


def _holds(backend: Backend, native: Any, copy: Array) -> bool:
    try:
        array = backend.to_numpy(native)
    except Exception:  # noqa: BLE001  (it had an array when it was returned)
        return False
    return array.shape == copy.shape and array.dtype == copy.dtype and array.tobytes() == copy.tobytes()
