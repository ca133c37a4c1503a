"""The results of a call: copies for the judge, and the originals kept to see whether they change later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.execution.codec import dtype_name
from convcheck.model.calls import Returned
from convcheck.plugin.backend import Backend

Array = NDArray[Any]

_WORK: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A native result, its array, and a copy of that from when it was returned, whose memory the contents are."""

    native: Any
    array: Array
    copy: Array
    contents: bytearray


class Results:
    """The last native result of each name, with what it held.

    A reference to each is held, so no allocator may hand out its memory: whoever changes it keeps a
    pointer to what he has given away, or writes late.
    """

    def __init__(self) -> None:
        self._kept: Mapping[str, _Kept] = {}

    def collect(self, backend: Backend, native: Mapping[str, Any], inputs: Mapping[str, Array]) -> Returned:
        """Copies of the results by name; the originals are kept in place of earlier ones.

        An earlier one is looked at when its place is taken, as late as can be: whatever was written to it
        since its call returned shows then.

        Args:
            backend: whose results they are.
            native: by name.
            inputs: the memory of each tensor of the call, which no result may share.
        """
        names = [name for name, result in native.items() if result is not None]
        again = [name for name in names if name in self._kept]
        looked_at = _arrays(backend, [*(native[name] for name in names), *(self._kept[name].native for name in again)])
        found, held = dict(zip(names, looked_at, strict=False)), dict(zip(again, looked_at[len(names) :], strict=True))
        others = [*inputs.items(), *((f"the earlier {n}", kept.array) for n, kept in self._kept.items())]
        arrays: dict[str, Array | None] = {}
        aliased: list[str] = []
        malformed: dict[str, str] = {}
        kept: dict[str, _Kept] = {}
        for name, result in native.items():
            arrays[name] = None
            if result is None:
                continue
            try:
                original = _or_raised(found[name])
                dtype_name(original.dtype)
                contents = _bytes_of(original)  # a copy: the candidate may write to its result again
            except Exception as error:  # noqa: BLE001  (whatever a candidate's result raises is a finding)
                malformed[name] = f"{type(error).__name__}: {error}"
                continue
            arrays[name] = copy = np.ndarray(original.shape, original.dtype, contents)
            kept[name] = _Kept(result, original, copy, contents)
            aliased += [f"{name} with {other}" for other, array in others if _share_memory(original, array)]
            others.append((name, original))
        replaced = {name: self._kept[name] for name in kept if name in self._kept}
        self._kept = {**self._kept, **kept}
        changed = [name for name, earlier in replaced.items() if not _unchanged(held[name], earlier)]
        originals = {name: result.array for name, result in kept.items()}
        return Returned(
            arrays,
            malformed,
            aliased=tuple(aliased),
            overwritten=tuple(changed),
            contiguous=tuple([name for name, array in originals.items() if array.flags.c_contiguous]),
            channels_last=tuple([name for name, array in originals.items() if _is_channels_last(array)]),
        )


def _arrays(backend: Backend, natives: Sequence[Any]) -> Sequence[Array | Exception]:
    """The array of each native result, or what there was instead; together, where none is amiss."""
    try:
        return backend.all_to_numpy(natives)
    except Exception:  # noqa: BLE001  (which of them raises is to be known)
        return [_array(backend, native) for native in natives]


def _array(backend: Backend, native: Any) -> Array | Exception:
    try:
        return backend.to_numpy(native)
    except Exception as error:  # noqa: BLE001  (whatever a candidate's result raises is a finding)
        return error


def _or_raised(found: Array | Exception) -> Array:
    if isinstance(found, Exception):
        raise found
    return found


def _unchanged(array: Array | Exception, kept: _Kept) -> bool:
    if isinstance(array, Exception):
        return False  # it had an array when it was returned
    alike = array.shape == kept.copy.shape and array.dtype == kept.copy.dtype
    return alike and kept.contents == _flat(array).data


def _bytes_of(array: Array) -> bytearray:
    """The bytes of the elements in C order; a bytearray, which is compared with memory without a copy."""
    return bytearray(_flat(array).data)


def _flat(array: Array) -> NDArray[np.uint8]:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _is_channels_last(array: Array) -> bool:
    return array.ndim == 4 and array.transpose(0, 2, 3, 1).flags.c_contiguous


def _share_memory(one: Array, other: Array) -> bool:
    if not np.may_share_memory(one, other):
        return False
    try:
        return np.shares_memory(one, other, max_work=_WORK)  # type: ignore[arg-type]  # its stub knows two of its values
    except np.exceptions.TooHardError:
        return False  # interleaved views so intricate that nobody can say are given the benefit of the doubt
