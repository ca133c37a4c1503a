"""Functions on arrays of any library, in a file as a user writes it, without a declaration."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from convcheck.plugin.arrays import arrays_of

PLUGINS = Path(__file__).parents[2] / "plugins"
TOKENS = ("v1,x=2x4x5x6,out=6,k=3x2,s=2x1,p=1,g=2", "v1,x=1x2x4x4,out=2,k=2,p=same,bias=false")
SIGNATURE = "def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):\n"

BY_DLPACK = """
import numpy as np

class Array:
    def __init__(self, data):
        self.data = data
    def __dlpack__(self, **asked):
        return self.data.__dlpack__(**asked)
    def __dlpack_device__(self):
        return self.data.__dlpack_device__()

def from_dlpack(other):
    return Array(np.from_dlpack(other).copy())
"""
BY_ARRAY = """
import numpy as np

class Array:
    def __init__(self, data):
        self.data = data
    def __array__(self, dtype=None, copy=None):
        return self.data

def asarray(other):
    return Array(np.array(other))
"""
TAKES_ITS_OWN = f"""
import tiny_arrays as tiny
from my_kernel import my_conv

{SIGNATURE}    plain = [t if t is None else t.data for t in (x, weight, bias)]
    return tiny.Array(my_conv(*plain, stride, padding, dilation, groups)*1)
"""
TAKES_NUMPYS = f"""
import tiny_arrays as tiny
from my_kernel import my_conv

{SIGNATURE}    x + 0  # of what is no array of NumPy's there is no such sum
    return tiny.Array(my_conv(x, weight, bias, stride, padding, dilation, groups))
"""
ON_NUMPY_BESIDE = f"""
import tiny_arrays
from my_kernel import my_conv

{SIGNATURE}    return my_conv(x, weight, bias, stride, padding, dilation, groups)
"""
JAX = f"""
import jax
import jax.numpy as jnp
from jax import lax

{SIGNATURE}    if x.ndim == 3:
        return conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    pair = lambda value: tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if isinstance(padding, str):
        needed = [d * (k - 1) if padding == "same" else 0 for d, k in zip(pair(dilation), weight.shape[2:])]
        sides = [(more // 2, more - more // 2) for more in needed]
    else:
        sides = [(side, side) for side in pair(padding)]
    output = lax.conv_general_dilated(
        x, weight, pair(stride), sides, rhs_dilation=pair(dilation), feature_group_count=groups, precision="highest"
    )
    return output if bias is None else output + bias[:, None, None]
"""
MLX = f"""
import mlx.core as mx

{SIGNATURE}    if groups > 1 or isinstance(padding, str):
        raise NotImplementedError
    output = mx.conv2d(
        x.transpose(0, 2, 3, 1), weight.transpose(0, 2, 3, 1), stride, padding, dilation
    ).transpose(0, 3, 1, 2)
    return output if bias is None else output + bias[:, None, None]
"""


def written(folder, text, tiny=""):
    shutil.copy(PLUGINS / "my_kernel.py", folder)
    (folder / "tiny_arrays.py").write_text(tiny)
    (folder / "kernel.py").write_text(text)
    return f"{folder / 'kernel.py'}:conv"


def replayed(folder, *tokens):
    command = [sys.executable, "-m", "convcheck", "replay", *tokens, "-b", "kernel.py:conv"]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize(
    ("text", "tiny"), [(TAKES_ITS_OWN, BY_DLPACK), (TAKES_ITS_OWN, BY_ARRAY), (TAKES_NUMPYS, BY_DLPACK)]
)
def test_a_library_of_ones_own_is_found_by_a_call_and_its_function_judged(tmp_path, text, tiny, right):
    written(tmp_path, text if right else text.replace("stride, padding", "stride, 0"), tiny)
    done = replayed(tmp_path, *TOKENS)
    assert done.returncode == (0 if right else 1), done.stdout + done.stderr
    assert ("pass" if right else "fail") in done.stdout


@pytest.mark.parametrize(
    ("text", "tiny", "library"),
    [
        (TAKES_ITS_OWN, BY_DLPACK, "tiny_arrays"),
        (TAKES_ITS_OWN, BY_ARRAY, "tiny_arrays"),
        (TAKES_NUMPYS, BY_ARRAY, "any"),
        (ON_NUMPY_BESIDE, BY_DLPACK, "numpy"),
        (
            TAKES_ITS_OWN.replace("import tiny_arrays as tiny\n", "import tiny_arrays as tiny, torch\n"),
            BY_DLPACK,
            "tiny_arrays",
        ),
    ],
)
def test_which_library_it_is(tmp_path, text, tiny, library):
    assert library_found(written(tmp_path, text, tiny)) == [library, "False"]


def library_found(spec):
    """As a fresh process finds it, and whether that has loaded JAX."""
    code = (
        "import sys\nfrom convcheck.plugin.imports import module_of_file\nfrom pathlib import Path\n"
        "from convcheck.plugin.function_backend import library_of\n"
        f"print(library_of(module_of_file(Path({spec.rpartition(':')[0]!r})).conv), 'jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_what_is_neither_of_numpy_nor_readable_is_refused():
    carrier = arrays_of("any", "cpu", ("float32",))
    with pytest.raises(
        TypeError, match="returned a list; expected an array of NumPy's, or one with __array__ or DLPack"
    ):
        carrier.to_numpy([1.0])


@pytest.mark.parametrize(("package", "text"), [("jax", JAX), ("mlx", MLX)])
def test_functions_of_jax_and_mlx_need_no_declaration(tmp_path, package, text):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    assert library_found(written(tmp_path, text))[0] == package
    said = replayed(tmp_path, "v1,x=1x2x4x4,out=2,k=2").stdout
    assert re.search(r"^exact +output +pass", said, re.MULTILINE), (
        said
    )  # JAX flushes subnormals, which is another matter


CUPY = """
from contextlib import nullcontext
import numpy as np

class ndarray:
    device = "<CUDA Device 0>"
    def __init__(self, data):
        self.data = data

asarray, asnumpy = lambda a: ndarray(np.array(a)), lambda a: a.data

class cuda:
    Device = staticmethod(lambda number: nullcontext())
"""
ON_CUPY = f"""
import cupy as cp
from my_kernel import my_conv

{SIGNATURE}    plain = [t if t is None else cp.asnumpy(t) for t in (x, weight, bias)]
    return cp.asarray(my_conv(*plain, stride, padding, dilation, groups))
"""


def test_arrays_of_cupy_lie_on_its_device_without_a_declaration(tmp_path):
    (tmp_path / "cupy.py").write_text(CUPY)  # a stand-in: it needs a GPU
    spec = written(tmp_path, ON_CUPY)
    code = f"import convcheck\nprint(convcheck.load({spec!r}).versions())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'device': 'cuda'" in done.stdout
    assert "cupy" in done.stdout
