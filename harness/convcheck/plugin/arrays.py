"""What a function takes: NumPy's arrays, torch's tensors, or arrays of any package that speaks DLPack, on a device."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from convcheck.model.capabilities import CapabilityError
from convcheck.model.case import LAYOUTS, NON_NEGATIVE_STRIDES, Layout
from convcheck.plugin import torch_bridge
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.backend import plain_array
from convcheck.plugin.package_arrays import PACKAGES, PackageArrays
from convcheck.plugin.torch_accelerator import TorchAccelerator
from convcheck.plugin.torch_bridge import from_torch, to_torch

Array = NDArray[Any]

ANY: Final = "any"
"""What is said of a function that takes NumPy's arrays and returns others, which NumPy can read."""


class Arrays(Protocol):
    """What carries arrays to a function and back.

    Attributes:
        layouts: the memory layouts that survive the way to the function.
    """

    layouts: tuple[Layout, ...]

    def to_native(self, array: Array) -> Any:
        """What the function takes; whatever the library raises is raised."""

    def to_numpy(self, native: Any) -> Array:
        """The array of a result.

        Raises:
            TypeError: it is not of the library, or not on the device.
        """

    def current(self) -> AbstractContextManager[Any]:
        """Makes the device the one that calls within compute on."""

    def accelerator(self) -> Accelerator | None:
        """Its device, where convcheck can place tensors there by itself."""

    def versions(self) -> dict[str, str]:
        """Of the library, with the device."""


def check_arrays(library: str | None, device: str) -> None:
    """Whether a library may be declared with a device, as far as can be said without loading it.

    Raises:
        CapabilityError: it may not.
    """
    if library is not None and not (isinstance(library, str) and library.replace(".", "_").isidentifier()):
        raise CapabilityError(
            f"arrays={library!r}; expected 'numpy', 'torch', or the name of a package: 'cupy', 'jax', 'mlx', …"
        )
    if not isinstance(device, str) or not device:
        raise CapabilityError(f"device={device!r}; expected a name such as 'cpu', 'cuda', 'cuda:1', 'xpu' or 'mps'")
    if device.partition(":")[0] == "meta":
        raise CapabilityError(f"device={device!r}: arrays there hold no values to judge; name a device that computes")
    if library in ("numpy", ANY) and device != "cpu":
        raise CapabilityError(
            f"device={device!r} with arrays of NumPy, which lie on the CPU; declare what the function takes: "
            f"arrays='torch', 'cupy', 'jax', …"
        )
    if library == "cupy" and device.partition(":")[0] != "cuda":
        raise CapabilityError(f"device={device!r} with arrays of CuPy, which lie on GPUs: declare device='cuda'")


def usual_device(library: str) -> str:
    """Where arrays of a library lie if nothing is declared."""
    return "cuda" if library == "cupy" else "cpu"


def is_readable(native: Any) -> bool:
    """Whether NumPy can read something as an array: by `__array__` or DLPack."""
    return any(hasattr(type(native), method) for method in ("__array__", "__dlpack__"))


def arrays_of(library: str, device: str, dtypes: Sequence[str]) -> Arrays:
    """What carries arrays of a library to a device and back.

    Args:
        library: "numpy", "torch", "any" or the name of a package.
        device: where they lie.
        dtypes: those that will be asked for.

    Raises:
        CapabilityError: there is no such device, or the library lacks a dtype or speaks no DLPack.
        UnavailableError: the package or the device is absent.
    """
    check_arrays(library, device)
    if library == "numpy":
        return NumpyArrays()
    if library == ANY:
        return ReadableArrays()
    if library == "torch":
        return TorchArrays(device)
    kind = PACKAGES.get(library.partition(".")[0], PackageArrays)
    return kind(library, device, dtypes)


class NumpyArrays:
    """NumPy's own, as they are."""

    layouts: tuple[Layout, ...] = LAYOUTS

    def to_native(self, array: Array) -> Any:
        """The array itself."""
        return array

    def to_numpy(self, native: Any) -> Array:
        """The result itself, which has to be an array."""
        return plain_array(native)

    def current(self) -> AbstractContextManager[Any]:
        """There is but one."""
        return nullcontext()

    def accelerator(self) -> Accelerator | None:
        """None: arrays lie in the memory of the host."""
        return None

    def versions(self) -> dict[str, str]:
        """NumPy's."""
        return {"numpy": np.__version__}


class ReadableArrays(NumpyArrays):
    """NumPy's on the way to a function, and whatever NumPy can read on the way back."""

    def to_numpy(self, native: Any) -> Array:
        """The array of a result, on its memory where that is the CPU's.

        Raises:
            TypeError: it has neither `__array__` nor DLPack.
        """
        if not is_readable(native):
            raise TypeError(
                f"returned a {type(native).__name__}; expected an array of NumPy's, or one with __array__ or DLPack"
            )
        return np.asarray(native) if hasattr(type(native), "__array__") else np.from_dlpack(native)


class TorchArrays:
    """Tensors of torch, on the memory of their arrays or copied to a device.

    Raises:
        CapabilityError: torch knows no such device.
        UnavailableError: it is absent.
    """

    layouts: tuple[Layout, ...] = NON_NEGATIVE_STRIDES

    def __init__(self, device: str) -> None:
        self._accelerator = TorchAccelerator(device)
        self._device = device

    def to_native(self, array: Array) -> Any:
        """A tensor on the device."""
        return to_torch(array, self._device)

    def to_numpy(self, native: Any) -> Array:
        """The array of a plain tensor on the device."""
        return from_torch(native, self._device)

    def current(self) -> AbstractContextManager[Any]:
        """Makes the device torch's current one, where it has a number."""
        return torch_bridge.current(self._device)

    def accelerator(self) -> Accelerator | None:
        """The device, if it is not the CPU."""
        return None if self._device == "cpu" else self._accelerator

    def versions(self) -> dict[str, str]:
        """torch's, with the device."""
        return torch_bridge.versions(self._device)
