"""Arrays of packages other than NumPy and torch, on a device.

A package is imported when a backend is made, so that one that needs none of it does not load it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.capabilities import CapabilityError
from convcheck.model.case import Layout
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.backend import UnavailableError
from convcheck_reference.formats import DTYPES

Array = NDArray[Any]


class PackageArrays:
    """Arrays of a package whose namespace has `from_dlpack`, or `asarray` as in the Python array API standard.

    They are read by DLPack, or by `__array__` where they have none. On the CPU they may lie on the memory of the arrays
    that they are made of. Subclasses know a package better.

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
        if not hasattr(type(native), "__dlpack__") and hasattr(type(native), "__array__"):
            return np.asarray(native)
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


PACKAGES: Final[dict[str, type[PackageArrays]]] = {"cupy": CupyArrays, "jax": JaxArrays, "mlx": MlxArrays}
"""Those that are known better, by name."""

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
