"""Paths: classes of layers that an engine computes in ways of their own, so that its promise may differ among them."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, TypeAlias

from convcheck.model.case import Case
from convcheck.model.strides import is_channels_last
from convcheck_reference.params import PADDING_MODES

Path: TypeAlias = str
"""Names of `PATHS` with spaces between them, all of which hold: "depthwise contiguous"."""


def _channels_last(case: Case) -> bool:
    # as torch chooses (`cudnn_conv_suggest_memory_format`): one operand in it is enough, if its strides show it
    shapes = (case.input_shape, case.params.weight_shape)
    return any(is_channels_last(shape, layout) for shape, layout in zip(shapes, case.layouts, strict=False))


def _depthwise(case: Case) -> bool:
    return case.params.groups == case.params.in_channels > 1


def _in_mode(mode: str) -> Callable[[Case], bool]:
    return lambda case: case.params.padding_mode == mode


_GROUPS: Final = MappingProxyType[str, Callable[[Case], bool]](
    {
        "dense": lambda case: case.params.groups == 1,
        "grouped": lambda case: case.params.groups > 1 and not _depthwise(case),
        "depthwise": _depthwise,
    }
)
_KERNELS: Final = MappingProxyType[str, Callable[[Case], bool]](
    {
        "pointwise": lambda case: case.params.kernel_size == (1, 1),
        "spatial": lambda case: case.params.kernel_size != (1, 1),
    }
)
_LAYOUTS: Final = MappingProxyType[str, Callable[[Case], bool]](
    {"contiguous": lambda case: not _channels_last(case), "channels_last": _channels_last}
)
_MODES: Final = MappingProxyType[str, Callable[[Case], bool]]({mode: _in_mode(mode) for mode in PADDING_MODES})
PARTITIONS: Final = (_GROUPS, _KERNELS, _LAYOUTS, _MODES)
"""Each parts all legal layers: of its classes exactly one holds."""

PATHS: Final[tuple[str, ...]] = tuple(name for partition in PARTITIONS for name in partition)
"""dense (groups 1), depthwise (a group for each input channel) and grouped (all others); pointwise (1×1) and spatial;
channels_last (x or the weight lies so) and contiguous (all other layouts); and the padding modes, however much is
padded."""


def on_path(case: Case, path: Path) -> bool:
    """Whether a legal case is of a path."""
    wanted = path.split()
    return all(holds(case) for partition in PARTITIONS for name, holds in partition.items() if name in wanted)


def problem(path: Path) -> str:
    """Why a text is no path, or one of no layer; empty if it is one."""
    names = path.split()
    if not names or not set(names) <= set(PATHS):
        return f"expected some of {', '.join(PATHS)}, with spaces between them"
    if any(len(set(names) & set(partition)) > 1 for partition in PARTITIONS):
        return "no layer is of two classes of one kind"
    return ""


def overlap(one: Path, other: Path) -> Path | None:
    """The path of the layers that are of both, its names in one order; None if there are none."""
    both = " ".join(name for name in PATHS if name in (*one.split(), *other.split()))
    return None if problem(both) else both


def specificity(path: Path) -> int:
    """The more names, the fewer layers."""
    return len(set(path.split()))
