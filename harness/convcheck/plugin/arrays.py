"""What a function takes: arrays of NumPy, tensors of torch, or arrays of any package that speaks DLPack, on a device.

A package is imported when a backend is made, so that one that needs none of it does not load it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from convcheck.model.capabilities import CapabilityError
from convcheck.model.case import LAYOUTS, Layout
from convcheck.plugin import torch_bridge
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.torch_accelerator import TorchAccelerator
from convcheck.plugin.torch_bridge import from_torch, to_torch
from convcheck_reference.formats import DTYPES

Array = NDArray[Any]


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
    if library == "numpy" and device != "cpu":
        raise CapabilityError(
            f"device={device!r} with arrays of NumPy, which lie on the CPU; declare what the function takes: "
            f"arrays='torch', 'cupy', 'jax', …"
        )
    if library == "cupy" and device.partition(":")[0] != "cuda":
        raise CapabilityError(f"device={device!r} with arrays of CuPy, which lie on GPUs: declare device='cuda'")


def arrays_of(library: str, device: str, dtypes: Sequence[str]) -> Arrays:
    """What carries arrays of a library to a device and back.

    Args:
        library: "numpy", "torch" or the name of a package.
        device: where they lie.
        dtypes: those that will be asked for.

    Raises:
        CapabilityError: there is no such device, or the library lacks a dtype or speaks no DLPack.
        UnavailableError: the package or the device is absent.
    """
    check_arrays(library, device)
    if library == "numpy":
        return NumpyArrays()
    if library == "torch":
        return TorchArrays(device)
    kind = _PACKAGES.get(library.partition(".")[0], PackageArrays)
    return kind(library, device, dtypes)


class NumpyArrays:
    """NumPy's own, as they are."""

    layouts: tuple[Layout, ...] = LAYOUTS

    def to_native(self, array: Array) -> Any:
        """The array itself."""
        return array

    def to_numpy(self, native: Any) -> Array:
        """The result itself, which has to be an array."""
        if type(native) is not np.ndarray:
            raise TypeError(f"returned a {type(native).__name__}; expected a numpy.ndarray")
        return native

    def current(self) -> AbstractContextManager[Any]:
        """There is but one."""
        return nullcontext()

    def accelerator(self) -> Accelerator | None:
        """None: arrays lie in the memory of the host."""
        return None

    def versions(self) -> dict[str, str]:
        """NumPy's."""
        return {"numpy": np.__version__}


class TorchArrays:
    """Tensors of torch, on the memory of their arrays or copied to a device.

    Raises:
        CapabilityError: torch knows no such device.
        UnavailableError: it is absent.
    """

    layouts: tuple[Layout, ...] = tuple(layout for layout in LAYOUTS if layout != "reversed")

    def __init__(self, device: str) -> None:
        reason = torch_bridge.absence(device)
        if reason:
            raise UnavailableError(reason)
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
        return None if self._device == "cpu" else TorchAccelerator(self._device)

    def versions(self) -> dict[str, str]:
        """torch's, with the device."""
        return torch_bridge.versions(self._device)


class PackageArrays:
    """Arrays of a package whose namespace has `from_dlpack`, or `asarray` as in the Python array API standard.

    On the CPU they may lie on the memory of the arrays that they are made of. Subclasses know a package better.

    Args:
        package: its name.
        device: where the arrays lie, as the package spells it.
        dtypes: those that will be asked for.

    Raises:
        CapabilityError: the package lacks a dtype, or speaks no DLPack.
        UnavailableError: the package or the device is absent.
    """

    layouts: tuple[Layout, ...] = ("contiguous",)  # few packages have strides
    namespace: ClassVar[str] = ""
    """The module with the package's functions, where it is not the package itself."""
    installation: ClassVar[str] = ""
    """What pip installs, where it is not the package's name."""

    def __init__(self, package: str, device: str, dtypes: Sequence[str]) -> None:
        self._package = package
        self._device = device
        self._library = self._imported(package.partition(".")[0])
        self._module = self._imported(self.namespace or package)
        try:
            self._select()
            with self.current():
                probe = self.to_native(np.zeros(1, np.float32))
        except CapabilityError:
            raise
        except Exception as error:
            raise UnavailableError(f"{self._named()} makes no array on device {device!r}: {error}") from error
        self._kind, self._place = type(probe), _place(probe)
        for dtype in dtypes:
            self._check_dtype(dtype)

    def to_native(self, array: Array) -> Any:
        """An array of the package, on the device."""
        if self._device == "cpu" and hasattr(self._module, "from_dlpack"):
            return self._module.from_dlpack(array)
        placed = {} if self._device == "cpu" else {"device": self._device}
        return self._module.asarray(array, **placed)

    def to_numpy(self, native: Any) -> Array:
        """The array of a result, on its memory where that is the CPU's."""
        if not isinstance(native, self._kind):
            found = f"{type(native).__module__}.{type(native).__qualname__}"
            raise TypeError(f"returned a {found}; expected an array of {self._package}")
        if _place(native) != self._place:
            raise TypeError(f"returned an array on {_place(native)}; expected {self._place}")
        return self._read(native)

    def current(self) -> AbstractContextManager[Any]:
        """Nothing: arrays carry their device along."""
        return nullcontext()

    def accelerator(self) -> Accelerator | None:
        """None: few packages have a tensor on a part of some bytes."""
        return None

    def versions(self) -> dict[str, str]:
        """The package's, with the device."""
        return {self._package: self._version(), "device": self._device}

    def _select(self) -> None:
        """Look the device up, or how arrays are made there."""
        if not hasattr(self._module, "asarray") and not (
            self._device == "cpu" and hasattr(self._module, "from_dlpack")
        ):
            raise CapabilityError(
                f"arrays={self._package!r}: it has no asarray to make an array on device {self._device!r}; {_SUBCLASS}"
            )

    def _read(self, native: Any) -> Array:
        placed: dict[str, Any] = {} if self._device == "cpu" else {"device": "cpu"}
        return np.from_dlpack(native, **placed)

    def _imported(self, module: str) -> ModuleType:
        try:
            return import_module(module)
        except Exception as error:
            package = self._package
            hint = self.installation or f"pip install {package}"
            raise UnavailableError(
                f"the package {package!r} cannot be imported: {error}; install it ({hint}) or mend arrays={package!r}"
            ) from error

    def _check_dtype(self, dtype: str) -> None:
        try:
            with self.current():
                found = self.to_numpy(self.to_native(np.ones(2, DTYPES[dtype]))).dtype
        except CapabilityError:
            raise
        except Exception as error:
            raise CapabilityError(
                f"dtypes: {dtype} does not reach {self._named()} and back: {error}; do not declare it, or {_SUBCLASS}"
            ) from error
        if found != DTYPES[dtype]:
            raise CapabilityError(
                f"dtypes: {self._named()} makes {found} of {dtype}; do not declare it, or set the package so that it "
                f"keeps it (jax: jax.config.update('jax_enable_x64', True))"
            )

    def _named(self) -> str:
        return f"{self._package} {self._version()}".strip()

    def _version(self) -> str:
        return str(getattr(self._library, "__version__", "") or getattr(self._module, "__version__", ""))


class CupyArrays(PackageArrays):
    """CuPy's, on a CUDA (or ROCm) device."""

    installation = "pip install cupy-cuda13x, or cupy-cuda12x for CUDA 12"

    def to_native(self, array: Array) -> Any:
        """A copy on the device."""
        with self.current():
            return self._module.asarray(array)

    def current(self) -> AbstractContextManager[Any]:
        """Makes the device CuPy's current one."""
        chosen: AbstractContextManager[Any] = self._module.cuda.Device(_index(self._device))
        return chosen

    def _read(self, native: Any) -> Array:
        return np.asarray(self._module.asnumpy(native))


class JaxArrays(PackageArrays):
    """JAX's: immutable, so always copies."""

    namespace = "jax.numpy"
    installation = "pip install jax, or 'jax[cuda13]' for CUDA 13"

    def to_native(self, array: Array) -> Any:
        """A copy on the device."""
        return self._library.device_put(array.copy(), self._chosen)

    def current(self) -> AbstractContextManager[Any]:
        """Makes the device the one for what has no arguments."""
        chosen: AbstractContextManager[Any] = self._library.default_device(self._chosen)
        return chosen

    def _select(self) -> None:
        platform = self._device.partition(":")[0]
        self._chosen = self._library.devices(platform)[_index(self._device)]

    def _read(self, native: Any) -> Array:
        return np.asarray(native)


class MlxArrays(PackageArrays):
    """MLX's: in memory that all devices share, so the device is a matter of the call."""

    namespace = "mlx.core"
    installation = "pip install mlx, 'mlx[cuda]' or 'mlx[cpu]'"

    def to_native(self, array: Array) -> Any:
        """A copy; MLX takes bfloat16 by its bits, as NumPy has no such type of its own."""
        mx = self._module
        if array.dtype == DTYPES["bfloat16"]:
            return mx.array(array.view(np.uint16)).view(mx.bfloat16)
        return mx.array(array)

    def current(self) -> AbstractContextManager[Any]:
        """Makes the device the one that operations within are put to."""
        chosen: AbstractContextManager[Any] = self._module.stream(self._chosen)
        return chosen

    def _select(self) -> None:
        mx = self._module
        self._chosen = mx.Device(mx.cpu if self._device == "cpu" else mx.gpu, _index(self._device))

    def _read(self, native: Any) -> Array:
        mx = self._module
        if native.dtype == mx.bfloat16:
            return np.array(native.view(mx.uint16)).view(DTYPES["bfloat16"])
        return np.array(native)


_PACKAGES: Final[dict[str, type[PackageArrays]]] = {"cupy": CupyArrays, "jax": JaxArrays, "mlx": MlxArrays}
_SUBCLASS: Final = "subclass convcheck.Backend and write to_native and to_numpy"


def _place(native: Any) -> Any:
    """Where an array lies; None where its library does not say."""
    return getattr(native, "device", None)


def _index(device: str) -> int:
    """The number of a device.

    Raises:
        CapabilityError: there is none after the colon.
    """
    _, _, number = device.partition(":")
    if not number.isdecimal() and number:
        raise CapabilityError(f"device={device!r}; expected a number after the colon, as in 'cuda:1'")
    return int(number or 0)
