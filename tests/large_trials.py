"""Trials of layers that are large enough to be judged in slices, with right results or changed ones."""

from convcheck import Capabilities
from convcheck.model.calls import Returned
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.oracles.support.trial import INTEGERS, plain_key
from convcheck_reference.convolution import conv2d, conv2d_grad_bias, conv2d_grad_input, conv2d_grad_weight

LARGE = (
    "v1,x=1x40x32x32,out=48,k=3,p=1",
    "v1,x=2x64x24x24,out=96,k=3,s=1,p=1,d=1,g=2,mode=reflect",
    "v1,x=64x32x32,out=64,k=5,p=2,g=4,bias=false",
)


def results(case, values):
    dtype = values.x.dtype
    output = conv2d(values.x, values.weight, values.bias, case.params, dtype)
    gradients = {
        "grad_input": conv2d_grad_input(values.grad_output, values.weight, case.params, values.x.shape, dtype),
        "grad_weight": conv2d_grad_weight(values.grad_output, values.x, case.params, dtype),
        "grad_bias": conv2d_grad_bias(values.grad_output, dtype),
    }
    return output, gradients


def trial(token, change=lambda arrays: None):
    case = read(token)
    made = Trial(case, Capabilities())
    output, gradients = results(case, made.integers)
    arrays = {"output": output, **gradients}
    change(arrays)
    outcomes = {
        plain_key(INTEGERS, "output"): Returned({"output": arrays.pop("output")}),
        plain_key(INTEGERS, "grad_input"): Returned(arrays),
    }
    return made.with_outcomes(outcomes)
