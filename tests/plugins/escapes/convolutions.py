"""Ways to let somebody else compute the convolution of x and weight; each returns an array, or a promise of one."""

import _thread
import ctypes
import gc
import importlib
import inspect
import multiprocessing
import os
import subprocess
import sys
import threading
import types

import numpy as np
import torch
from routes import route

to_convolution = route("convolution")


def _convolved(x, weight):
    return torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(weight)).numpy()


def _in_thread(start, compute):
    done, found = threading.Event(), []

    def body(*_):
        try:
            found.append(compute())
        finally:
            done.set()

    start(body)
    done.wait(20)
    return found[0]


@to_convolution
def functional(x, weight):
    return _convolved(x, weight)


@to_convolution
def module(x, weight):
    layer = torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:], bias=False)
    layer.weight.data = torch.from_numpy(weight)
    return layer(torch.from_numpy(x)).detach().numpy()


@to_convolution
def operator(x, weight):
    arguments = (None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    return torch.ops.aten.convolution(torch.from_numpy(x), torch.from_numpy(weight), *arguments).numpy()


@to_convolution
def inner_operator(x, weight):
    return torch.ops.aten._slow_conv2d_forward(
        torch.from_numpy(x), torch.from_numpy(weight), weight.shape[2:], None, [1, 1], [0, 0]
    ).numpy()


@to_convolution
def onednn(x, weight):
    return torch.mkldnn_convolution(
        torch.from_numpy(x), torch.from_numpy(weight), None, (0, 0), (1, 1), (1, 1), 1
    ).numpy()


@to_convolution
def onednn_layout(x, weight):
    return torch.nn.functional.conv2d(torch.from_numpy(x).to_mkldnn(), torch.from_numpy(weight)).to_dense().numpy()


@to_convolution
def onednn_layout_in_thread(x, weight):
    return _in_thread(lambda body: _thread.start_new_thread(body, ()), lambda: onednn_layout(x, weight))


@to_convolution
def three_dimensions(x, weight):
    x, weight = torch.from_numpy(x)[:, :, None], torch.from_numpy(weight)[:, :, None]
    return torch.nn.functional.conv3d(x, weight)[:, :, 0].numpy()


@to_convolution
def transposed(x, weight):
    flipped = torch.from_numpy(np.ascontiguousarray(weight.transpose(1, 0, 2, 3)[..., ::-1, ::-1]))
    padding = weight.shape[2] - 1, weight.shape[3] - 1
    return torch.nn.functional.conv_transpose2d(torch.from_numpy(x), flipped, padding=padding).numpy()


@to_convolution
def gradient(x, weight):
    n, o = len(x), len(weight)
    size = (n, o, x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1)
    asked = torch.zeros(size, requires_grad=True)
    flipped = torch.from_numpy(weight)
    back = torch.nn.functional.conv_transpose2d(asked, flipped)
    (found,) = torch.autograd.grad(back, asked, torch.from_numpy(x))
    return found.detach().numpy()


@to_convolution
def script(x, weight):
    scripted = torch.jit.CompilationUnit("def f(x: Tensor, w: Tensor):\n    return torch.conv2d(x, w)\n")
    return scripted.f(torch.from_numpy(x), torch.from_numpy(weight)).numpy()


@to_convolution
def thread(x, weight):
    return _in_thread(lambda body: threading.Thread(target=body).start(), lambda: _convolved(x, weight))


@to_convolution
def thread_with_its_own_run(x, weight):
    def start(body):
        type("Own", (threading.Thread,), {"run": body})().start()

    return _in_thread(start, lambda: _convolved(x, weight))


@to_convolution
def bare_thread(x, weight):
    return _in_thread(lambda body: _thread.start_new_thread(body, ()), lambda: _convolved(x, weight))


@to_convolution
def thread_of_the_c_library(x, weight):
    kept = []

    def start(body):
        kept.append(ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: body() or 0))
        held = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: body() or 0)
        kept.append(held)
        ctypes.CDLL(None).pthread_create(ctypes.byref(ctypes.c_ulong()), None, held, None)

    return _in_thread(start, lambda: _convolved(x, weight))


@to_convolution
def lazily_in_to_numpy(x, weight):
    return lambda: _convolved(x, weight)


@to_convolution
def dispatch_disabled(x, weight):
    with torch._C._DisableTorchDispatch():
        return _convolved(x, weight)


@to_convolution
def modes_disabled(x, weight):
    from torch.utils._python_dispatch import _disable_current_modes

    with _disable_current_modes():
        return _convolved(x, weight)


@to_convolution
def mode_found_by_gc(x, weight):
    from torch.utils._python_dispatch import TorchDispatchMode

    for mode in [o for o in gc.get_objects() if isinstance(o, TorchDispatchMode)]:
        type(mode).__torch_dispatch__ = lambda _, func, types, args=(), kwargs=None: func(*args, **(kwargs or {}))
    return _convolved(x, weight)


@to_convolution
def list_cleared_through_frames(x, weight):
    result = _convolved(x, weight)
    frame = inspect.currentframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if isinstance(value, list) and any(isinstance(each, str) and "conv" in each for each in value):
                value.clear()
        frame = frame.f_back
    return result


@to_convolution
def outcome_rebound(x, weight):
    host = sys.modules["convcheck.execution.in_process_candidate"]
    host._with_called = lambda outcome, called: outcome
    host.replace = lambda outcome, **_: outcome
    return _convolved(x, weight)


@to_convolution
def recording_disabled(x, weight):
    torch._C._autograd._enable_record_function(False)
    try:
        return _convolved(x, weight)
    finally:
        torch._C._autograd._enable_record_function(True)


@to_convolution
def trace_disabled(x, weight):
    torch._C._profiler._disable_execution_trace_observer()
    try:
        return _convolved(x, weight)
    finally:
        torch._C._profiler._enable_execution_trace_observer()


@to_convolution
def trace_disabled_from_a_fresh_import(x, weight):
    kept = sys.modules.pop("torch._C._profiler")
    try:
        fresh = importlib.import_module("torch._C._profiler")
        fresh._disable_execution_trace_observer()
        return _convolved(x, weight)
    finally:
        sys.modules["torch._C._profiler"] = kept


@to_convolution
def trace_turned_to_nothing(x, weight):
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = {}
    for fd in range(3, 64):
        try:
            if fd != nowhere and os.readlink(f"/proc/self/fd/{fd}").startswith("pipe"):
                kept[fd] = os.dup(fd)
                os.dup2(nowhere, fd)
        except OSError:
            continue
    try:
        return _convolved(x, weight)
    finally:
        for fd, copy in kept.items():
            try:
                os.dup2(copy, fd)
            except OSError:
                continue


@to_convolution
def forked_child(x, weight):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, _convolved(x, weight).tobytes())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        found = np.frombuffer(file.read(), np.float32)
    os.waitpid(child, 0)
    shape = len(x), len(weight), x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
    return found.reshape(shape).copy()


@to_convolution
def another_python(x, weight):
    code = (
        "import sys, pickle, torch; x, w = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(torch.conv2d(torch.from_numpy(x), torch.from_numpy(w)).numpy().tobytes())"
    )
    import pickle

    given = pickle.dumps((x, weight))
    found = subprocess.run(
        [f"{sys.base_prefix}/bin/python3", "-c", code], input=given, capture_output=True, check=True
    ).stdout
    shape = len(x), len(weight), x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
    return np.frombuffer(found, np.float32).reshape(shape).copy()


@to_convolution
def a_spawned_process(x, weight):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply_async(_convolved, (x, weight)).get(3)


@to_convolution
def scipy(x, weight):
    from scipy.signal import correlate2d

    found = [[sum(correlate2d(a, b, "valid") for a, b in zip(i, o, strict=True)) for o in weight] for i in x]
    return np.array(found, np.float32)


@to_convolution
def scipy_under_another_name(x, weight):
    from scipy.signal import _signaltools

    code = _signaltools.correlate2d
    if code.__closure__:
        contents = [cell.cell_contents for cell in code.__closure__]
        code = next((c for c in contents if isinstance(c, types.FunctionType) and c.__name__ == "correlate2d"), code)
    found = [[sum(code(a, b, "valid") for a, b in zip(i, o, strict=True)) for o in weight] for i in x]
    return np.array(found, np.float32)
