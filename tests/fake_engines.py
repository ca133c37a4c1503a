"""Two releases of a package that computes Conv2d, as wheels, and a backend of it: 2.0 loses the bias with groups.

The package has a function of its own for kernels of one pixel, which the backend names in its own words.
"""

import zipfile

BACKEND = """
import fakeengine

import convcheck


class fakeengine_backend(convcheck.ReferenceBackend):
    name = "fakeengine"
    capabilities = convcheck.Capabilities()

    def conv2d(self, x, weight, bias, params):
        lost = fakeengine.LOSES_BIAS and params.groups > 1
        out = super().conv2d(x, weight, bias, params)
        return out - bias[:, None, None] if lost and bias is not None else out

    def versions(self):
        return {"fakeengine": fakeengine.__version__}

    def script_lines(self, call):
        return (f"import fakeengine  # {fakeengine.__version__}", "got = fakeengine.pointwise(x, weight, bias)")
"""
NAME = "fakeengine_backend"


ENGINE = """
import numpy as np

__version__ = {version!r}
LOSES_BIAS = {loses}


def pointwise(x, weight, bias):
    groups = x.shape[1] // weight.shape[1]
    pairs = zip(np.split(x, groups, 1), np.split(weight, groups))
    out = np.concatenate([np.einsum("nchw,ocyx->nohw", *pair) for pair in pairs], 1)
    return out if LOSES_BIAS and groups > 1 else out + bias[:, None, None]
"""


def wheel(folder, version):
    """A wheel of a release."""
    info, file = f"fakeengine-{version}.dist-info", folder / f"fakeengine-{version}-py3-none-any.whl"
    files = {
        "fakeengine/__init__.py": ENGINE.format(version=version, loses=version == "2.0"),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: fakeengine\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return file
