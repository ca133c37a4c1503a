import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import convcheck
from convcheck import CapabilityError, RegistryError, load
from convcheck.plugin.c_backend import CMemoryError, CStatusError
from convcheck.plugin.registry_errors import BackendFileError, BackendNameError

PLUGINS = Path(__file__).parents[2] / "plugins"
COMPILER = shutil.which("cc")
TOKENS = ("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2", "v1,x=3x5x5,out=2,k=2,p=same,bias=false,dtype=float64")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no cc")


def built(folder, *options):
    for suffix in ("c", "py"):
        shutil.copy(PLUGINS / f"my_c_library.{suffix}", folder)
    library = folder / "my_c_library.so"
    subprocess.run(
        [COMPILER, "-O1", *options, "-shared", "-fPIC", folder / "my_c_library.c", "-o", library], check=True
    )
    return library


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return built(tmp_path_factory.mktemp("library"))


@pytest.mark.parametrize(("options", "status"), [((), 0), (("-DPADDING_OF_COLUMNS=padding_top",), 1)])
def test_a_library_is_judged_from_outside(tmp_path, options, status):
    built(tmp_path, *options)
    done = subprocess.run(
        [sys.executable, "-m", "convcheck", "replay", *TOKENS, "-b", "my_c_library.py:my_conv"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert ("differs from the exact integer result" in done.stdout) is bool(status)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "layer", [{}, {"stride": 2, "padding": (1, 0), "groups": 2}, {"padding": "same", "dilation": 2}]
)
def test_it_is_called_as_torchs_function(library, dtype, layer):
    mine = convcheck.c_backend(library, {"float32": "conv2d_float", "float64": "conv2d_double"})
    rng = np.random.default_rng(0)
    groups = layer.get("groups", 1)
    x, weight = rng.integers(-9, 9, (2, 4, 6, 5)), rng.integers(-9, 9, (6, 4 // groups, 3, 2))
    given = [a.astype(dtype) for a in (x[:, :, ::-1], weight, np.arange(6))]
    due = torch.nn.functional.conv2d(*(torch.from_numpy(a.copy()) for a in given), **layer)
    assert np.array_equal(mine(*given, **layer), due.numpy())
    assert mine(*given, **layer).dtype == dtype


def test_a_status_is_an_error_that_names_the_function(library):
    mine = convcheck.c_backend(library, "conv2d_float")
    wide = np.ones((1, 1, 1, 65), np.float32)
    with pytest.raises(CStatusError, match="conv2d_float returned status 1"):
        mine(wide, wide)


def test_it_declares_what_the_signature_can_do(library):
    mine = convcheck.c_backend(library, "conv2d_float", groups=False)
    assert (mine.name, mine.capabilities.dtypes) == ("conv2d_float", ("float32",))
    assert (mine.capabilities.layouts, mine.capabilities.padding_modes) == (("contiguous",), ("zeros",))
    assert not mine.capabilities.groups
    assert mine.versions() == {"library": "my_c_library.so"}


@pytest.mark.parametrize(
    ("file", "symbol", "declared", "error", "message"),
    [
        (
            "absent.so",
            "conv",
            {},
            BackendFileError,
            r"absent.so does not exist; build it: cc -O2 -shared -fPIC absent.c",
        ),
        ("text.so", "conv", {}, BackendFileError, r"text.so cannot be loaded: "),
        ("", "conv3d", {}, BackendNameError, r"my_c_library.so has no function 'conv3d'; .*extern \"C\""),
        ("", {"float16": "conv"}, {}, CapabilityError, "expected one for 'float32', 'float64' or both"),
        ("", "conv2d_float", {"validates": True}, CapabilityError, "validates: .* legal sizes only"),
    ],
)
def test_what_is_wrong_is_named(library, tmp_path, file, symbol, declared, error, message):
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(error, match=message):
        convcheck.c_backend(tmp_path / file if file else library, symbol, **declared)


def test_a_library_that_is_not_built_yet_is_named_where_the_backend_is_loaded(tmp_path):
    shutil.copy(PLUGINS / "my_c_library.py", tmp_path)
    with pytest.raises(RegistryError, match=r"my_c_library.so does not exist; build it: cc "):
        load(f"{tmp_path / 'my_c_library.py'}:my_conv")


STRAYING = """
#include <stdint.h>
struct conv2d_sizes { int64_t batch, sizes[15], out_height, out_width; };
int conv(const float *x, const float *w, const float *b, float *out, const struct conv2d_sizes *s) {
    out[AT] = 1.0f;
    return 0;
}
"""


@pytest.mark.parametrize(
    ("at", "said"), [("-2", "8 bytes before it begins"), ("12", "up to 4 bytes behind its end"), ("11", "")]
)
def test_what_is_written_around_the_result_is_an_error(tmp_path, at, said):
    (tmp_path / "straying.c").write_text(STRAYING)
    command = [COMPILER, f"-DAT={at}", "-shared", "-fPIC", tmp_path / "straying.c", "-o", tmp_path / "straying.so"]
    subprocess.run(command, check=True)
    conv = convcheck.c_backend(tmp_path / "straying.so", "conv")
    x, weight = np.ones((1, 1, 4, 3), np.float32), np.ones((1, 1, 1, 1), np.float32)
    if not said:
        assert np.isnan(conv(x, weight).reshape(-1)).tolist() == [True] * 11 + [False]
        return
    with pytest.raises(CMemoryError, match=said):
        conv(x, weight)
