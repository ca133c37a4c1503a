"""The parameter space as factors cut into classes of values: what t-way coverage is counted in.

Seven factors for each axis of the image and nine for the whole layer, two to five classes each. A class
is numbered; `FACTORS` has the names. The same arithmetic classifies one case and a table of thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case, Layout
from convcheck_reference.params import PADDING_MODES

Classes: TypeAlias = tuple[int, ...]
"""The number of the class that each factor takes, in the order of `FACTORS`."""

MANY: Final = 8
"""From here on a count is large: windows along an axis, images in a batch, channels of a SIMD block."""

AXIS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("kernel", ("1", "odd", "even")),
    ("stride", ("1", "2, up to the kernel", "3 or more, up to the kernel", "above the kernel")),
    ("dilation", ("1", "2 or more")),
    ("padding", ("0", "below the extent", "the extent or more")),
    ("output", ("1", f"2 to {MANY - 1}", f"{MANY} or more")),
    ("left over", ("no", "yes")),
    ("extent above the image", ("no", "yes")),
)
_CHANNELS = ("1", f"2 to {MANY - 1}", f"a multiple of {MANY}", f"above {MANY}, with a remainder")
BATCHES: Final = ("1", f"2 to {MANY - 1}", f"{MANY} or more", "0", "unbatched")
LAYOUTS: Final = ("contiguous", "channels_last", "another, shared", "mixed")
DTYPES: Final = ("float32", "float64", "float16", "bfloat16", "complex")
PADDINGS: Final = ("", "same", "valid")
"""How padding is spelled: a number for each axis, or one of the two strings."""

FACTORS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    *((f"{name}, height", classes) for name, classes in AXIS),
    *((f"{name}, width", classes) for name, classes in AXIS),
    ("padding spelled", ("numbers", *PADDINGS[1:])),
    ("padding_mode", PADDING_MODES),
    ("groups", ("1", "between 1 and channels", "depthwise", "depthwise with multiplier")),
    ("in_channels", _CHANNELS),
    ("out_channels", _CHANNELS),
    ("bias", ("no", "yes")),
    ("batch", BATCHES),
    ("layout", LAYOUTS),
    ("dtype", DTYPES),
)

HEIGHT, WIDTH = slice(0, 7), slice(7, 14)
PADDING, CHANNELS = slice(14, 16), slice(16, 19)
BIAS, BATCH, LAYOUT, DTYPE = range(19, 23)


@dataclass(frozen=True)
class Space:
    """The part of the parameter space that a backend supports.

    Attributes:
        dtypes: the dtypes to draw.
        modes: padding modes.
        layouts: memory layouts.
        groups: whether groups > 1 is in it.
        dilation: whether dilation > 1 is in it.
        strings: whether 'same' and 'valid' are in it.
        unbatched: whether (C, H, W) inputs are in it.
        empty_batch: whether a batch of 0 is in it.
    """

    dtypes: tuple[str, ...]
    modes: tuple[str, ...]
    layouts: tuple[Layout, ...]
    groups: bool = True
    dilation: bool = True
    strings: bool = True
    unbatched: bool = True
    empty_batch: bool = True

    @classmethod
    def of(cls, capabilities: Capabilities, dtypes: tuple[str, ...] | None = None) -> Space:
        """The space of a backend with these capabilities, `dtypes` narrowing its dtypes."""
        return cls(
            tuple(dtypes or capabilities.dtypes),
            capabilities.padding_modes,
            capabilities.layouts,
            capabilities.groups,
            capabilities.dilation,
            capabilities.string_padding,
            capabilities.unbatched,
            capabilities.empty_batch,
        )

    @cached_property
    def batches(self) -> Classes:
        """Classes of batch sizes."""
        return (0, 1, 2, *(3,) * self.empty_batch, *(4,) * self.unbatched)

    @cached_property
    def layout_classes(self) -> Classes:
        """Classes of layouts."""
        plain = tuple(n for n in (0, 1) if LAYOUTS[n] in self.layouts)
        others = (2,) * bool(self.others)
        return (*plain, *others, *(3,) * (len(self.layouts) > 1))

    @cached_property
    def layouts_of_data(self) -> tuple[Layout, ...]:
        """The layouts of x and weight: one in which every value is 1 is for gradients."""
        return tuple(layout for layout in self.layouts if layout != "broadcast")

    @cached_property
    def others(self) -> tuple[Layout, ...]:
        """The layouts without a class of their own."""
        return tuple(layout for layout in self.layouts_of_data if layout not in LAYOUTS)

    @cached_property
    def dtype_classes(self) -> Classes:
        """Classes of dtypes."""
        return tuple(sorted({_dtype(dtype) for dtype in self.dtypes}))


_OFFSETS: Final = np.cumsum([0, *(len(classes) for _, classes in FACTORS)])
LEVELS: Final = int(_OFFSETS[-1])
"""The number of classes of all factors together."""


def level(factor: Any, number: Any) -> Any:
    """The class `number` of a factor, counted through all factors; elementwise for an array."""
    return _OFFSETS[factor] + number


def owner() -> np.ndarray[Any, np.dtype[np.intp]]:
    """The factor that each of the `LEVELS` belongs to."""
    return np.repeat(np.arange(len(FACTORS)), np.diff(_OFFSETS))


def classify(case: Case) -> Classes:
    """The classes of a legal case.

    Raises:
        ConvcheckError: the case is illegal.
    """
    params = case.params
    height, width = case.input_shape[-2:]
    kernel, stride, dilation, padding = params.kernel_size, params.stride, params.dilation, params.padding
    spelled = case.arguments.padding
    return (
        *axis_classes(height, kernel[0], stride[0], dilation[0], *padding[0]),
        *axis_classes(width, kernel[1], stride[1], dilation[1], *padding[1]),
        PADDINGS.index(spelled) if isinstance(spelled, str) else 0,
        PADDING_MODES.index(params.padding_mode),
        *channel_classes(params.groups, params.in_channels, params.out_channels),
        int(params.bias),
        _batch(case),
        _layout(case),
        _dtype(case.dtype),
    )


def axis_classes(size: Any, kernel: Any, stride: Any, dilation: Any, before: Any, after: Any) -> tuple[Any, ...]:
    """The classes of an axis in the order of `AXIS`; elementwise for arrays."""
    extent = dilation * (kernel - 1) + 1
    spare = size + before + after - extent
    output = spare // stride + 1
    return (
        (kernel > 1) * (1 + (kernel % 2 == 0)),
        (stride > 1) * (1 + (stride > 2) * (stride <= kernel) + 2 * (stride > kernel)),
        1 * (dilation > 1),
        1 * (after > 0) + (after >= extent),  # 'same' pads no less after than before
        1 * (output > 1) + (output >= MANY),
        1 * (spare % stride > 0),
        1 * (extent > size),
    )


def channel_classes(groups: Any, inputs: Any, outputs: Any) -> tuple[Any, ...]:
    """The classes of groups, in_channels and out_channels; elementwise for arrays."""
    kind = (groups > 1) * (1 + (groups == inputs) * (1 + (outputs > inputs)))
    return kind, _count(inputs), _count(outputs)


def _count(channels: Any) -> Any:
    return (channels > 1) * (1 + (channels >= MANY) * (1 + (channels % MANY > 0)))


def _batch(case: Case) -> int:
    if case.unbatched:
        return 4
    return 3 if case.batch == 0 else (case.batch > 1) + (case.batch >= MANY)


def _layout(case: Case) -> int:
    if len(set(case.layouts)) > 1:
        return 3
    return LAYOUTS.index(case.layouts[0]) if case.layouts[0] in LAYOUTS else 2


def _dtype(dtype: str) -> int:
    return DTYPES.index("complex" if dtype.startswith("complex") else dtype)
