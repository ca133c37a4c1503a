import numpy as np
import torch
from hypothesis import assume, given, settings

from convcheck import Capabilities
from convcheck.strategies import cases
from convcheck_reference import conv2d, conv2d_grad_input, conv2d_grad_weight


@settings(max_examples=60, deadline=None)
@given(cases(Capabilities(dtypes=("float64",), gradients=True)))
def test_torch_agrees_in_float64(case):
    assume(case.violation is None and case.output_shape and 0 not in case.input_shape)
    params = case.params
    rng = np.random.default_rng(case.seed)
    x, w = (torch.from_numpy(rng.standard_normal(s)).requires_grad_() for s in (case.input_shape, params.weight_shape))
    (top, bottom), (left, right) = params.padding
    mode = "constant" if params.padding_mode == "zeros" else params.padding_mode
    padded = torch.nn.functional.pad(x, (left, right, top, bottom), mode=mode)
    out = torch.nn.functional.conv2d(padded, w, None, params.stride, 0, params.dilation, params.groups)
    grad = torch.from_numpy(rng.standard_normal(out.shape))
    gx, gw = torch.autograd.grad(out, (x, w), grad)
    xs, ws, g = x.detach().numpy(), w.detach().numpy(), grad.numpy()
    for got, want in (
        (conv2d(xs, ws, None, params), out.detach().numpy()),
        (conv2d_grad_input(g, ws, params, xs.shape), gx.numpy()),
        (conv2d_grad_weight(g, xs, params), gw.numpy()),
    ):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
