"""The exceptions of convcheck; every one derives from `ConvcheckError`.

* `ConvcheckError`
    * `ParameterError` (also a `ValueError`): illegal Conv2d arguments
        * `ParameterTypeError` (also a `TypeError`): a value of the wrong type
        * `ChannelsError`, `KernelSizeError`, `StrideError`, `PaddingError`, `DilationError`,
          `GroupsError`, `PaddingModeError`: a value out of range
        * `SamePaddingStrideError`: ``padding='same'`` with a stride other than 1
        * `SizeOverflowError`: a tensor whose elements 64-bit indices cannot count
    * `InputError` (also a `ValueError`): a legal layer on an input that it cannot take
        * `InputShapeError`: wrong number of dimensions or channels
        * `KernelTooLargeError`: the dilated kernel is larger than the padded input
        * `ReflectPaddingError`, `CircularPaddingError`: more padding than the mode allows
    * `SelfCheckError` (also a `RuntimeError`): the reference contradicts itself
"""


class ConvcheckError(Exception):
    """Base of every exception that convcheck raises on purpose."""


class ParameterError(ConvcheckError, ValueError):
    """A Conv2d argument is illegal whatever the input."""


class ParameterTypeError(ParameterError, TypeError):
    """A Conv2d argument has a type that Conv2d does not take."""


class ChannelsError(ParameterError):
    """in_channels or out_channels is not positive."""


class KernelSizeError(ParameterError):
    """kernel_size is not positive."""


class StrideError(ParameterError):
    """Stride is not positive."""


class PaddingError(ParameterError):
    """Padding is negative, or a string other than 'same' and 'valid'."""


class DilationError(ParameterError):
    """Dilation is not positive."""


class GroupsError(ParameterError):
    """Groups is not positive, or does not divide both channel counts."""


class PaddingModeError(ParameterError):
    """padding_mode is none of 'zeros', 'reflect', 'replicate', 'circular'."""


class SamePaddingStrideError(ParameterError):
    """padding='same' with a stride other than 1."""


class SizeOverflowError(ParameterError):
    """A tensor would hold more elements than a signed 64-bit index can count."""


class InputError(ConvcheckError, ValueError):
    """A legal layer cannot be applied to this input."""


class InputShapeError(InputError):
    """The input is not (N, C, H, W) or (C, H, W) with C = in_channels and H, W ≥ 1."""


class KernelTooLargeError(InputError):
    """The dilated kernel is larger than the padded input."""


class ReflectPaddingError(InputError):
    """Reflect padding is not smaller than the input."""


class CircularPaddingError(InputError):
    """Circular padding is larger than the input."""


class SelfCheckError(ConvcheckError, RuntimeError):
    """The formulations of the reference disagree: this installation cannot judge anybody."""
