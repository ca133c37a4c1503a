"""Two releases of a package that computes Conv2d, as wheels, and a backend of it: 2.0 loses the bias with groups."""

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
"""
NAME = "fakeengine_backend"


def wheel(folder, version):
    """A wheel of a release."""
    info, file = f"fakeengine-{version}.dist-info", folder / f"fakeengine-{version}-py3-none-any.whl"
    files = {
        "fakeengine/__init__.py": f"__version__ = '{version}'\nLOSES_BIAS = {version == '2.0'}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: fakeengine\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return file
