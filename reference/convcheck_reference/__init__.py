"""What Conv2d is: parameters, shapes, validity, padding, forward, gradients, initialisation, clauses.

>>> from convcheck_reference import Conv2dParams
>>> layer = Conv2dParams(3, 10, kernel_size=5, stride=1, padding=2)
>>> layer.weight_shape, layer.activations((16, 3, 28, 28))
((10, 3, 5, 5), 125440)

Nothing is imported before it is asked for: a process that runs a candidate has no reference in it.
"""

from typing import TYPE_CHECKING, Final

from convcheck_reference.lazy import lazily

if TYPE_CHECKING:
    from convcheck_reference.convolution import (
        conv2d,
        conv2d_double_backward,
        conv2d_grad_bias,
        conv2d_grad_input,
        conv2d_grad_weight,
    )
    from convcheck_reference.errors import ConvcheckError, InputError, ParameterError
    from convcheck_reference.formats import DTYPES, FORMATS, Format
    from convcheck_reference.initialisation import init_bound, reset_parameters
    from convcheck_reference.padding import pad, pad_adjoint
    from convcheck_reference.params import PADDING_MODES, Arguments, Conv2dParams, PaddingMode

__all__ = [
    "DTYPES",
    "FORMATS",
    "PADDING_MODES",
    "Arguments",
    "Conv2dParams",
    "ConvcheckError",
    "Format",
    "InputError",
    "PaddingMode",
    "ParameterError",
    "conv2d",
    "conv2d_double_backward",
    "conv2d_grad_bias",
    "conv2d_grad_input",
    "conv2d_grad_weight",
    "init_bound",
    "pad",
    "pad_adjoint",
    "reset_parameters",
]

_HOMES: Final = {
    "convcheck_reference.convolution": (
        "conv2d",
        "conv2d_double_backward",
        "conv2d_grad_bias",
        "conv2d_grad_input",
        "conv2d_grad_weight",
    ),
    "convcheck_reference.errors": ("ConvcheckError", "InputError", "ParameterError"),
    "convcheck_reference.formats": ("DTYPES", "FORMATS", "Format"),
    "convcheck_reference.initialisation": ("init_bound", "reset_parameters"),
    "convcheck_reference.padding": ("pad", "pad_adjoint"),
    "convcheck_reference.params": ("PADDING_MODES", "Arguments", "Conv2dParams", "PaddingMode"),
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public
    __getattr__ = lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
