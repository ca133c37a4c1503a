"""The kernel in C of `plugins/my_c_kernel.py`, built with and without AddressSanitizer."""

import shutil
import subprocess
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parent / "plugins"


def built(folder, *options):
    """The spec of the kernel, built in a folder with some options of the compiler."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no gcc")
    name = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout
    if not Path(name.strip()).is_absolute():
        pytest.skip("there is no libasan")
    plain, sanitized = ("-O2",), ("-O1", "-g", "-fsanitize=address")
    for suffix, flags in (("", plain), ("_address", sanitized)):
        library = folder / f"my_c_kernel{suffix}.so"
        source = PLUGINS / "my_c_kernel.c"
        subprocess.run([compiler, *flags, *options, "-shared", "-fPIC", source, "-o", library], check=True)
    return f"{shutil.copy(PLUGINS / 'my_c_kernel.py', folder)}:my_conv"
