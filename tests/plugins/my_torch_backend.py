"""A kernel of one's own as a class, from public names: on torch tensors, twice differentiable, with a promise."""

from contextlib import contextmanager

import torch
from my_torch_kernel import my_conv

from convcheck import (
    NON_NEGATIVE_STRIDES,
    PROFILES,
    QUANTITIES,
    Backend,
    Capabilities,
    differentiate,
    differentiate_twice,
    from_torch,
    to_torch,
)
from convcheck_reference import Conv2dParams


class MyBackend(Backend):
    """im2col on the CPU; its bfloat16 is summed in bfloat16."""

    name = "my-torch-backend"
    capabilities = Capabilities(
        dtypes=("float32", "bfloat16"),
        padding_modes=("zeros",),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        autograd=True,
        double_backward=True,
        string_padding=False,
        unbatched=False,
        empty_batch=False,
        profiles={("bfloat16", quantity): PROFILES["bf16-acc-flushing"] for quantity in QUANTITIES},
    )

    def conv2d(self, x, weight, bias, params):
        """The output."""
        return self._function(params)(x, weight, bias)

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        """The gradients by autograd."""
        return differentiate(self._function(params), (x, weight, bias), grad_output)

    def conv2d_double_backward(
        self, grad_grad_input, grad_grad_weight, grad_grad_bias, grad_output, x, weight, bias, params
    ):
        """The gradients of the gradients by autograd."""
        grad_grads = (grad_grad_input, grad_grad_weight, grad_grad_bias)
        return differentiate_twice(self._function(params), (x, weight, bias), grad_output, grad_grads)

    @contextmanager
    def recorded(self, params):
        """The function that autograd differentiates, for whatever else torch can be asked for."""
        yield self._function(params)

    def to_native(self, array):
        """A tensor on the memory of the array."""
        return to_torch(array)

    def to_numpy(self, native):
        """The array of a tensor."""
        return from_torch(native)

    def versions(self):
        """torch's."""
        return {"torch": torch.__version__}

    def _function(self, params: Conv2dParams):
        spelled = Conv2dParams.of(params.arguments).arguments  # which refuses an illegal layer
        return lambda x, weight, bias: my_conv(
            x, weight, bias, spelled.stride, spelled.padding, spelled.dilation, spelled.groups
        )
