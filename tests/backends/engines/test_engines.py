"""Each engine on a dozen layers where it is installed, and what is said of it where it is not.

The layers are plain: where engines compute wrong is what runs of convcheck are for.
"""

from contextlib import closing
from importlib.util import find_spec

import numpy as np
import pytest

from convcheck import ScriptCall, UnavailableError, load
from convcheck.execution import open_candidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, JUDGED
from convcheck.oracles import ORACLES
from convcheck_reference import Conv2dParams
from convcheck_reference.convolution import conv2d, conv2d_grad_bias, conv2d_grad_input, conv2d_grad_weight

PACKAGES = {
    "autograd": "autograd",
    "jax": "jax",
    "keras": "keras",
    "keras?backend=jax": "keras",
    "litert": "ai_edge_litert",
    "litert?xnnpack=no": "ai_edge_litert",
    "mlx": "mlx",
    "mnn": "MNN",
    "ncnn": "ncnn",
    "ncnn?packing=no&winograd=no&sgemm=no": "ncnn",
    "onnx-reference": "onnx",
    "onnxruntime": "onnxruntime",
    "onnxruntime?baked=yes&threads=2": "onnxruntime",
    "onnxruntime?optimized=no": "onnxruntime",
    "opencv-dnn": "cv2",
    "opencv-dnn?winograd=no": "cv2",
    "openvino": "openvino",
    "openvino?baked=yes": "openvino",
    "paddle": "paddle",
    "scipy": "scipy",
    "scipy?method=fft": "scipy",
    "tensorflow": "tensorflow",
    "tinygrad": "tinygrad",
    "torch-export": "torch",
    "torch-func": "torch",
    "torch-onnx": "onnxscript",
    "tract": "tract",
}
PIP = {
    "ai_edge_litert": "ai-edge-litert", "cv2": "opencv-python-headless", "mlx": "mlx[cpu]", "paddle": "paddlepaddle",
}  # fmt: skip

SLOW = {"jax", "openvino?baked=yes", "tinygrad", "torch-export", "torch-func", "torch-onnx"}
"""Those that compile for long: three layers are asked of them."""

VALUES = tuple(oracle for oracle in ORACLES if oracle.name in ("contract", "exact", "bounded", "gradients-exact"))
"""Judges of what adapters answer for; special values and state are the engine's matter."""

LAYERS = (
    "v1,x=2x3x6x5,out=4,k=3",
    "v1,x=1x3x6x5,out=4,k=3,bias=false",
    "v1,x=2x2x7x9,out=3,k=3x2,s=2x1",
    "v1,x=1x2x7x9,out=3,k=2,p=1x0",
    "v1,x=1x1x9x8,out=1,k=2x3,d=1x2",
    "v1,x=1x1x9x8,out=1,k=2x3,d=2x1,s=1x3,p=2x1,bias=false",
    "v1,x=1x4x5x5,out=4,k=3,g=4",
    "v1,x=1x3x4x4,out=5,k=1",
    "v1,x=1x2x6x6,out=2,k=3,p=same",
    "v1,x=1x2x6x7,out=2,k=2,p=same",
    "v1,x=1x2x6x7,out=2,k=5x4,p=valid",
    "v1,x=3x8x8x8,out=16,k=3,p=1",
)


@pytest.mark.parametrize("spec", PACKAGES)
def test_an_engine_computes_a_dozen_layers_right_or_its_absence_is_said_in_a_line(spec):
    package = PACKAGES[spec]
    if find_spec(package) is None:
        with pytest.raises(UnavailableError, match=r"^needs \w+, which is not installed: pip install \S+") as caught:
            load(spec)
        assert PIP.get(package, package) in str(caught.value) or package != str(caught.value).split()[1].strip(",")
        return
    try:
        candidate = open_candidate(spec)
    except UnavailableError as error:  # of what it needs besides
        pytest.skip(str(error))
    with closing(candidate):
        found = [judge_case(candidate, read(layer), VALUES)[0] for layer in LAYERS[:: 4 if spec in SLOW else 1]]
    assert all(any(verdict.status in JUDGED for verdict in verdicts) for verdicts in found)
    assert [verdict for verdicts in found for verdict in verdicts if verdict.status in FAILURES] == []


OWN_WORDS = (
    Conv2dParams(4, 4, (3, 2), (2, 1), padding=(1, 0), groups=2),
    Conv2dParams(2, 2, 3, padding="same"),
    Conv2dParams(1, 1, 1, bias=False),
)
GRADIENTS = ("grad_input", "grad_weight", "grad_bias")


def called(params):
    """The arrays of a call, and its results by name, in integers."""
    rng = np.random.default_rng(0)
    x, weight, bias = (
        rng.integers(-4, 5, s).astype("f") for s in ((2, params.in_channels, 5, 4), params.weight_shape, 4)
    )
    arrays = {"x": x, "weight": weight} | ({"bias": bias[: params.out_channels]} if params.bias else {})
    output = conv2d(x, weight, arrays.get("bias"), params)
    upstream = rng.integers(-4, 5, output.shape).astype("f")
    found = conv2d_grad_input(upstream, weight, params, x.shape), conv2d_grad_weight(upstream, x, params)
    results = dict(zip(("output", *GRADIENTS), (output, *found, conv2d_grad_bias(upstream)), strict=True))
    return arrays, upstream, results if params.bias else {name: results[name] for name in ("output", *GRADIENTS[:2])}


@pytest.mark.filterwarnings("ignore")  # of engines, when they are imported
@pytest.mark.parametrize("params", OWN_WORDS, ids=lambda params: f"k{params.kernel_size}")
@pytest.mark.parametrize("spec", [spec for spec in PACKAGES if find_spec(PACKAGES[spec])])
def test_the_own_words_of_an_engine_make_the_call(spec, params, tmp_path, monkeypatch):
    if spec in SLOW and params is not OWN_WORDS[0]:
        pytest.skip("it compiles for long")
    if (spec == "mnn" and params.groups > 1) or spec == "keras?backend=jax":
        pytest.skip("MNN is wrong in layers with groups, and Keras has one backend for a process")
    try:
        backend = load(spec)
    except UnavailableError as error:
        pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)  # some write their model to a file
    arrays, upstream, results = called(params)
    for quantity, expected in results.items() if backend.capabilities.gradients else [("output", results["output"])]:
        given = arrays if quantity == "output" else arrays | {"grad_output": upstream}
        layer = ScriptCall(
            arguments=params.arguments, dtype="float32", quantity=quantity, wanted=tuple(arrays), bias=params.bias,
            target="", arrays=arrays,
        )  # fmt: skip
        names = {"np": np} | {name: array.copy() for name, array in given.items()}
        lines = backend.script_lines(layer)
        if spec == "autograd" and params.groups > 1:
            assert not lines  # it has no words for groups
            continue
        exec("\n".join(lines), names)
        np.testing.assert_allclose(names["got"], expected, rtol=0, atol=1e-4)
