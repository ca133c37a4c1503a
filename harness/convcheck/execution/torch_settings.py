"""The settings of torch that change what its caller's program computes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

_Named: TypeAlias = tuple[str, Callable[[], Any], Callable[[Any], object]]
"""Name, what reads a setting and what writes it back."""


def settings_of_torch(torch: Any) -> tuple[_Named, ...]:
    """Those that this torch has; a part of the names is its own affair, and differs between versions."""
    found = list[_Named]()
    with suppress(Exception):  # those behind one that it does not have are left alone
        for named in _settings(torch):
            named[1]()
            found.append(named)
    return tuple(found)


def _settings(torch: Any) -> Iterator[_Named]:
    yield "torch's default dtype", torch.get_default_dtype, torch.set_default_dtype
    yield "torch's default device", _device, torch.set_default_device
    yield "torch's number of threads", torch.get_num_threads, torch.set_num_threads
    yield "torch's grad mode", torch.is_grad_enabled, torch.set_grad_enabled
    yield "torch's inference mode", torch.is_inference_mode_enabled, _is_kept
    yield (
        "torch's deterministic algorithms",
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    )
    yield (
        "torch's precision of float32 products",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    )
    for kind in ("cpu", "cuda"):
        yield f"torch's autocast on {kind}", partial(torch.is_autocast_enabled, kind), partial(_autocast, torch, kind)
    for name in ("cudnn_enabled", "cudnn_benchmark", "cudnn_deterministic", "mkldnn_enabled"):
        public = f"torch.backends.{name.replace('_', '.')}"
        yield public, getattr(torch._C, f"_get_{name}"), getattr(torch._C, f"_set_{name}")  # noqa: SLF001


def _device() -> Any:
    """The default device; `torch.get_default_device` makes a tensor to find out."""
    return getattr(sys.modules.get("torch.utils._device"), "CURRENT_DEVICE", None)


def _autocast(torch: Any, kind: str, enabled: bool) -> None:
    torch.set_autocast_enabled(kind, enabled)


def _is_kept(_: object) -> None:
    """There is no way back but through the guard that whoever changed it holds."""
