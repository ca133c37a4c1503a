"""The parameters of `torch.nn.Conv2d`: as a caller spells them, and normalised.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, SupportsIndex, TypeAlias

from convcheck_reference.errors import (
    ChannelsError,
    CircularPaddingError,
    DilationError,
    GroupsError,
    InputShapeError,
    KernelSizeError,
    KernelTooLargeError,
    PaddingError,
    PaddingModeError,
    ParameterError,
    ParameterTypeError,
    ReflectPaddingError,
    SamePaddingStrideError,
    SizeOverflowError,
    StrideError,
)

Pair: TypeAlias = tuple[int, int]
Shape: TypeAlias = tuple[int, ...]
PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]

PADDING_MODES: Final[tuple[PaddingMode, ...]] = ("zeros", "reflect", "replicate", "circular")
MAX_INDEX: Final = 2**63 - 1
"""The largest count that the signed 64-bit sizes of torch tensors hold."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a caller typed: the nine arguments of `torch.nn.Conv2d`, in any spelling, legal or not.

    The defaults are those of the documentation.
    """

    in_channels: Any
    out_channels: Any
    kernel_size: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: Any = 1
    bias: Any = True
    padding_mode: Any = "zeros"

    def __eq__(self, other: object) -> bool:
        """Whether all are spelled alike; NaN as itself, which since Python 3.13 no dataclass would do by itself."""
        return _spelled(self) == _spelled(other) if type(other) is Arguments else NotImplemented

    def __hash__(self) -> int:
        """As equal arguments have it."""
        return hash(_spelled(self))

    def __str__(self) -> str:
        """The constructor call, defaults left out: ``Conv2d(3, 10, kernel_size=5, padding=2)``."""
        spelled = [f"{self.in_channels!r}, {self.out_channels!r}, kernel_size={self.kernel_size!r}"]
        for item in fields(self)[3:]:
            value = getattr(self, item.name)
            if value != item.default or type(value) is not type(item.default):
                spelled.append(f"{item.name}={value!r}")
        return f"Conv2d({', '.join(spelled)})"


_spelled: Final = operator.attrgetter(*(item.name for item in fields(Arguments)))


@dataclass(frozen=True, slots=True, init=False)
class Conv2dParams:
    """The parameters of a Conv2d layer, validated, with every pair written out as (height, width).

    Takes each form that `torch.nn.Conv2d` takes: an int or a pair of ints for kernel_size, stride,
    padding and dilation, and ``'same'`` or ``'valid'`` for padding.

    Attributes:
        in_channels: channels of the input.
        out_channels: channels of the output, the number of filters.
        kernel_size: (kh, kw).
        stride: (sh, sw).
        padding: ((top, bottom), (left, right)), pixels added on each side. Only ``'same'`` gives
            unequal sides: the extra pixel goes to the bottom and to the right.
        dilation: (dh, dw), the spacing of the kernel taps.
        groups: number of independent blocks of channels.
        bias: whether a bias of shape (out_channels,) is added.
        padding_mode: ``'zeros'``, ``'reflect'``, ``'replicate'`` or ``'circular'``.
        arguments: the same as the caller spelled them.

    Raises:
        ParameterError: one subclass for each kind of illegal value; see `convcheck_reference.errors`.
    """

    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair
    padding: tuple[Pair, Pair]
    dilation: Pair
    groups: int
    bias: bool
    padding_mode: PaddingMode
    arguments: Arguments = field(compare=False, repr=False)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        _validate(
            self,
            Arguments(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode),
        )

    @classmethod
    def of(cls, arguments: Arguments) -> Conv2dParams:
        """The validated parameters of `arguments`.

        Raises:
            ParameterError: as the constructor.
        """
        params = object.__new__(cls)
        _validate(params, arguments)
        return params

    @classmethod
    def unchecked(cls, arguments: Arguments) -> Conv2dParams:
        """The parameters of `arguments` without validation: an int becomes a pair, four sides become two pairs.

        Only for handing illegal parameters to a candidate, which has to refuse them.
        """

        def pair(value: Any) -> Any:
            return value if isinstance(value, (tuple, list, str)) else (value, value)

        padding: Any = arguments.padding
        if not isinstance(padding, str):
            spread = pair(padding)
            if len(spread) == len(("height", "width")):
                padding = tuple((side, side) for side in spread)
            else:  # top, bottom, left and right, which some engines take
                padding = (tuple(spread[:2]), tuple(spread[2:])) if len(spread) == 4 else spread
        params = object.__new__(cls)
        _set(
            params,
            arguments,
            pair(arguments.kernel_size),
            pair(arguments.stride),
            padding,
            pair(arguments.dilation),
        )
        return params

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(out_channels, in_channels / groups, kh, kw)."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    @property
    def bias_shape(self) -> tuple[int] | None:
        """(out_channels,), or None for a layer without bias."""
        return (self.out_channels,) if self.bias else None

    @property
    def fan_in(self) -> int:
        """Inputs that one output sums over: in_channels / groups · kh · kw."""
        return math.prod(self.weight_shape[1:])

    @property
    def extent(self) -> Pair:
        """Pixels that the dilated kernel spans: d·(k−1)+1 per axis, the receptive field of the layer."""
        (kh, kw), (dh, dw) = self.kernel_size, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    def output_size(self, height: int, width: int) -> Pair:
        """(oh, ow) = ⌊(i + 2p − d·(k−1) − 1) / s⌋ + 1 per axis (documentation, section Shape).

        Raises:
            InputShapeError: height or width is below 1.
            KernelTooLargeError: the dilated kernel is larger than the padded input.
            ReflectPaddingError: reflect padding ≥ input.
            CircularPaddingError: circular padding > input.
        """
        return self._windows("height", height, 0), self._windows("width", width, 1)

    def _windows(self, name: str, size: int, axis: int) -> int:
        if size < 1:
            raise InputShapeError(f"the input's {name} is {size}; expected at least 1 pixel")
        before, after = self.padding[axis]
        self._check_padding_mode(name, size, max(before, after))
        padded, extent = before + size + after, self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        if extent > padded:
            raise KernelTooLargeError(
                f"the kernel spans {extent} pixels of {name} (kernel_size "
                f"{self.kernel_size[axis]}, dilation {self.dilation[axis]}), the padded input has "
                f"{padded}; use a larger input, more padding or a smaller kernel"
            )
        return (padded - extent) // self.stride[axis] + 1

    def output_shape(self, input_shape: Sequence[int]) -> Shape:
        """(N, out, oh, ow) for (N, in, H, W), and (out, oh, ow) for an unbatched (in, H, W).

        Raises:
            InputError: the layer cannot take this input; `output_size` lists the causes.
            SizeOverflowError: input or output have more elements than 64-bit indices can count.
        """
        shape = tuple(input_shape)
        if len(shape) not in (3, 4):
            raise InputShapeError(f"the input has {len(shape)} dimensions {shape}; expected (N, C, H, W) or (C, H, W)")
        if shape[-3] != self.in_channels:
            raise InputShapeError(f"the input has {shape[-3]} channels {shape}; in_channels is {self.in_channels}")
        if len(shape) == 4 and shape[0] < 0:
            raise InputShapeError(f"the batch size is {shape[0]}; expected 0 or more")
        output = (*shape[:-3], self.out_channels, *self.output_size(*shape[-2:]))
        for name, sizes in (("input", shape), ("output", output)):
            if math.prod(sizes) > MAX_INDEX:
                raise SizeOverflowError(f"the {name} {sizes} has more than {MAX_INDEX} elements")
        return output

    def activations(self, input_shape: Sequence[int]) -> int:
        """Number of output elements: batch · out · oh · ow."""
        return math.prod(self.output_shape(input_shape))

    def multiply_adds(self, input_shape: Sequence[int]) -> int:
        """Multiply-adds of one forward pass, taps in the padding included."""
        return self.activations(input_shape) * self.fan_in

    def _check_padding_mode(self, name: str, size: int, widest: int) -> None:
        if self.padding_mode == "reflect" and widest >= size:
            raise ReflectPaddingError(
                f"reflect padding of {widest} on an input {name} of {size}; it mirrors without the edge "
                f"pixel, so it must be smaller than the input: at most {size - 1}"
            )
        if self.padding_mode == "circular" and widest > size:
            raise CircularPaddingError(
                f"circular padding of {widest} on an input {name} of {size}; it may wrap around once, so at most {size}"
            )


def _validate(params: Conv2dParams, arguments: Arguments) -> None:
    """Make parameters those of `arguments`, if these are legal."""
    _check_scalars(arguments)
    kernel = _pair("kernel_size", arguments.kernel_size, 1, KernelSizeError)
    stride = _pair("stride", arguments.stride, 1, StrideError)
    dilation = _pair("dilation", arguments.dilation, 1, DilationError)
    pads = _pads(arguments.padding, kernel, stride, dilation)
    _set(params, arguments, kernel, stride, pads, dilation)
    for name, count in (("weight", math.prod(params.weight_shape)), ("padded row", max(map(sum, pads)))):
        if count > MAX_INDEX:
            raise SizeOverflowError(
                f"the {name} of {arguments} would have {count} elements; "
                f"sizes are signed 64-bit, so at most {MAX_INDEX}"
            )


def _set(params: Conv2dParams, arguments: Arguments, kernel: Any, stride: Any, padding: Any, dilation: Any) -> None:
    values = (
        arguments.in_channels,
        arguments.out_channels,
        kernel,
        stride,
        padding,
        dilation,
        arguments.groups,
        arguments.bias,
        arguments.padding_mode,
        arguments,
    )
    for name, value in zip(params.__slots__, values, strict=True):
        object.__setattr__(params, name, value)


def _check_scalars(arguments: Arguments) -> None:
    channels = (arguments.in_channels, arguments.out_channels)
    for name, value in zip(("in_channels", "out_channels"), channels, strict=True):
        _integer(name, value, 1, ChannelsError)
    groups = _integer("groups", arguments.groups, 1, GroupsError)
    for name, value in zip(("in_channels", "out_channels"), channels, strict=True):
        if value % groups:
            raise GroupsError(f"groups={groups} does not divide {name}={value}; it must divide both channels")
    if not isinstance(arguments.bias, bool):
        raise ParameterTypeError(f"bias={arguments.bias!r} is a {_kind(arguments.bias)}; expected a bool")
    mode = arguments.padding_mode
    if not isinstance(mode, str):
        raise ParameterTypeError(f"padding_mode={mode!r} is a {_kind(mode)}; expected one of {PADDING_MODES}")
    if mode not in PADDING_MODES:
        raise PaddingModeError(f"padding_mode={mode!r} is unknown; expected one of {PADDING_MODES}")


def _pads(padding: Any, kernel: Pair, stride: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        if padding != "same":
            raise PaddingError(f"padding={padding!r} is unknown; expected 'same', 'valid', an int or a pair")
        if stride != (1, 1):
            raise SamePaddingStrideError(
                f"padding='same' with stride={stride}; an output as large as the input needs stride 1"
            )
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return (totals[0] // 2, totals[0] - totals[0] // 2), (totals[1] // 2, totals[1] - totals[1] // 2)
    ph, pw = _pair("padding", padding, 0, PaddingError)
    return (ph, ph), (pw, pw)


def _pair(name: str, value: Any, least: int, error: type[ParameterError]) -> Pair:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise error(f"{name}={value!r} has {len(value)} entries; expected an int or a pair (height, width)")
        return _integer(f"{name}[0]", value[0], least, error), _integer(f"{name}[1]", value[1], least, error)
    number = _integer(name, value, least, error)
    return number, number


def _integer(name: str, value: Any, least: int, error: type[ParameterError]) -> int:
    # bool is a subclass of int: stride=True is a slip, not a stride of 1; a plain int is worth a short way,
    # because looking for a protocol takes microseconds
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, SupportsIndex)):
        raise ParameterTypeError(f"{name}={value!r} is a {_kind(value)}; expected an int")
    try:
        value = operator.index(value)
    except TypeError:  # NumPy's bools and arrays have the protocol, and refuse
        raise ParameterTypeError(f"{name}={value!r} is a {_kind(value)}; expected an int") from None
    if value < least:
        raise error(f"{name}={value} is too small; expected at least {least}")
    if value > MAX_INDEX:
        raise SizeOverflowError(f"{name}={value} is too large; sizes are signed 64-bit, at most {MAX_INDEX}")
    return int(value)


def _kind(value: object) -> str:
    return type(value).__name__
