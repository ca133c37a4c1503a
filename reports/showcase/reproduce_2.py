"""wrong_kernels:group_order: C2D-GROUPS-2, grad_bias, fail.

Conv2d(2, 4, kernel_size=1, groups=2)
v1,x=1x2x1x1,out=4,k=1,g=2,nonzeros=1

Exit status 1 while the discrepancy is there, 0 when it is gone, 2 where the candidate cannot be loaded.
"""

import base64
import importlib
import importlib.util
import inspect
import math
import sys
import zlib
from pathlib import Path

import numpy as np

CANDIDATE = 'wrong_kernels:group_order'


def unpack(text, dtype, shape):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape).copy()


def load(spec):
    location, _, name = spec.rpartition(":")
    if location.endswith(".py"):
        sys.path.append(str(Path(location).parent))
        module_spec = importlib.util.spec_from_file_location("candidate", location)
        module = importlib.util.module_from_spec(module_spec)
        sys.modules["candidate"] = module
        module_spec.loader.exec_module(module)
    else:
        module = importlib.import_module(location)
    return getattr(module, name)


def lay_out(values, memory, offset, strides, begins):
    """The values in the layout of the case: a view of memory that begins so many bytes after a multiple of 64.

    The size of the memory, the offset of the view and its strides count elements.
    """
    size = values.itemsize
    room = np.full(memory * size + 128, 255, np.uint8)  # makes NaN
    room = room[(begins - room.ctypes.data) % 64 :][: memory * size]
    view = np.ndarray(values.shape, values.dtype, room, offset * size, [step * size for step in strides])
    view[...] = values
    return view


tensors = {
    'x': lay_out(np.array([[[[0.0]], [[2201.0]]]], dtype=np.float32), 2, 0, (2, 1, 1, 1), 0),  # contiguous
    'weight': lay_out(np.array([[[[0.0]]], [[[0.0]]], [[[0.0]]], [[[225.0]]]], dtype=np.float32), 4, 0, (1, 1, 1, 1), 0),  # contiguous
    'bias': lay_out(np.array([238446.0, 2747799.0, -1577763.0, -2516486.0], dtype=np.float32), 4, 0, (1,), 0),  # contiguous
    'grad_output': lay_out(np.array([[[[0.0]], [[2571.0]], [[0.0]], [[0.0]]]], dtype=np.float32), 4, 0, (4, 1, 1, 1), 0),  # contiguous
}
layer = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 2,
    "padding_mode": 'zeros',
}
QUANTITY = 'grad_bias'
BACKWARD = True
GRADIENTS = {"x": "grad_input", "weight": "grad_weight", "bias": "grad_bias"}
WANTED = ('x', 'weight', 'bias')  # the operands whose gradients are asked for


def of_torch(function):
    names = getattr(inspect.unwrap(function), "__globals__", {}).values()
    modules = [getattr(v, "__name__" if inspect.ismodule(v) else "__module__", "") for v in names]
    return any(str(m).split(".")[0] == "torch" for m in modules)


def run_function(function):
    accepted = inspect.signature(function).parameters
    keywords = {k: v for k, v in layer.items() if k != "padding_mode" or k in accepted}
    if not of_torch(function):
        return {"output": function(tensors["x"], tensors["weight"], tensors.get("bias"), **keywords)}
    import torch

    def native(array):
        if array.dtype.name == "bfloat16":
            return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(array)

    x, weight, bias, grad = (
        native(tensors[n]) if n in tensors else None for n in ("x", "weight", "bias", "grad_output")
    )
    if not BACKWARD:
        return {"output": function(x, weight, bias, **keywords).double().numpy()}
    inputs = [{"x": x, "weight": weight, "bias": bias}[name].requires_grad_() for name in WANTED]
    grads = torch.autograd.grad(function(x, weight, bias, **keywords), inputs, grad)
    return {GRADIENTS[name]: g.double().numpy() for name, g in zip(WANTED, grads)}


def run_backend(backend):
    from convcheck_reference import Arguments, Conv2dParams

    arguments = Arguments(2, 4, 1, bias=True, **layer)
    try:
        params = Conv2dParams.of(arguments)
    except ValueError:
        params = Conv2dParams.unchecked(arguments)
    native = {name: backend.to_native(array) for name, array in tensors.items()}
    x, weight, bias = native["x"], native["weight"], native.get("bias")
    if not BACKWARD:
        return {"output": backend.to_numpy(backend.conv2d(x, weight, bias, params))}
    operands = (native["grad_output"], x, weight, bias)
    if len(WANTED) == len(tensors) - 1:  # all but grad_output
        grads = backend.conv2d_backward(*operands, params)
    elif backend.capabilities.autograd:
        import convcheck

        with backend.recorded(params) as function:
            grads = convcheck.differentiate(function, operands[1:], operands[0], WANTED)
    else:
        grads = backend.conv2d_partial_backward(WANTED, *operands, params)
    return {name: backend.to_numpy(g) for name, g in zip(GRADIENTS.values(), grads) if g is not None}


try:
    candidate = load(CANDIDATE)
    if isinstance(candidate, type):
        candidate = candidate()
    elif hasattr(candidate, "__convcheck_capabilities__"):  # convcheck, which decorated it, knows what it takes
        import convcheck

        candidate = convcheck.load(CANDIDATE)
except Exception as error:
    print("the candidate", CANDIDATE, "cannot be loaded:", repr(error))
    print("this says nothing about the discrepancy; run the script where it can, with the same PYTHONPATH, say")
    sys.exit(2)
run = run_backend if hasattr(candidate, "to_native") else run_function
expected = np.array([0.0, 2571.0, 0.0, 0.0], dtype=np.float64)
tolerance = np.array([0.0, 0.0, 0.0, 0.0], dtype=np.float64)
got = np.asarray(run(candidate)[QUANTITY])
if got.shape != expected.shape:
    print(f"{QUANTITY} has the shape {got.shape}; expected {expected.shape}")
    sys.exit(1)
got = got.astype(np.result_type(expected, np.float64))
with np.errstate(invalid="ignore"):
    right = (np.abs(got - expected) <= tolerance) | (got == expected) | (np.isnan(got) & np.isnan(expected))
right |= np.isposinf(tolerance)
if right.all():
    print("right now: every element of", QUANTITY, "is within its tolerance")
    sys.exit(0)
print(f"{(~right).sum()} of {right.size} elements of {QUANTITY} are wrong; the first:")
at = tuple(np.argwhere(~right)[0].tolist())
print(f"  at {at}: got {got[at]!r}, expected {expected[at]!r} ± {tolerance[at]:.3g}")
sys.exit(1)
