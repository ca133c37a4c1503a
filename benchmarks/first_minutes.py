"""What a newcomer waits for, and what a run then says: six wrong kernels of six kinds, as a Markdown table.

Each is a right kernel of tests/plugins with one text of it replaced. Wall seconds count from starting the command to
the first line that tells a failure, to the first that tells a cause, and to the end.

    python benchmarks/first_minutes.py
    python benchmarks/first_minutes.py --only "a function on NumPy arrays" --examples 50
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

PLUGINS = Path(__file__).resolve().parents[1] / "tests" / "plugins"
FAILURE = re.compile(r"^\[[\d:]+\] (?:seen|smallest case|cause): ")
CAUSE = re.compile(r"^\[[\d:]+\] cause: ")
SENTENCE = re.compile(r"^\d+\. (.*?)(?: Try: .*)?$", re.MULTILINE)

READ_BY_DLPACK = """
import torch
from my_kernel import my_conv

def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return torch.from_numpy(my_conv(x, weight, bias, stride, padding, dilation, groups))
"""


@dataclass(frozen=True)
class Kernel:
    """A kernel, the text of a file of its that is right, what stands there instead, and what is wrong then."""

    kind: str
    backend: str
    file: str
    right: str
    wrong: str
    bug: str


KERNELS = (
    Kernel(
        "a function on NumPy arrays",
        "my_kernel.py:my_conv",
        "my_kernel.py",
        "::sh, ::sw, ::dh",
        "::sw, ::sh, ::dh",
        "the strides of height and width are exchanged",
    ),
    Kernel(
        "a function on torch tensors",
        "my_torch_kernel.py:my_conv",
        "my_torch_kernel.py",
        "(filters @ columns).reshape",
        "(filters @ columns).transpose(1, 2).reshape",
        "output channels are interleaved across groups",
    ),
    Kernel(
        "a torch.nn.Module",
        "my_layers.py:MyConv2d",
        "my_layers.py",
        'if mode != "zeros":',
        'if mode not in ("zeros", "replicate"):',
        "padding_mode='replicate' pads with zeros",
    ),
    Kernel(
        "a shared library in C",
        "my_c_library.py:my_conv",
        "my_c_library.c",
        "PADDING_OF_COLUMNS padding_left",
        "PADDING_OF_COLUMNS padding_top",
        "columns are padded as rows are",
    ),
    Kernel(
        "a torch.autograd.Function",
        "my_torch_functions.py:MyConvFunction",
        "my_torch_functions.py",
        "grad_output.sum((0, 2, 3))",
        "grad_output[:1].sum((0, 2, 3))",
        "the gradient of the bias is that of the first image",
    ),
    Kernel(
        "a function whose results are read by DLPack",
        "read_by_dlpack.py:conv",
        "my_kernel.py",
        "high // 2, high - high // 2, wide // 2, wide - wide // 2",
        "high - high // 2, high // 2, wide - wide // 2, wide // 2",
        "the odd pixel of 'same' goes above and to the left",
    ),
)


def written(kernel, folder):
    """Write the kernel to a folder, with its bug in it."""
    for file in (*PLUGINS.glob("my_*.py"), *PLUGINS.glob("my_*.c")):
        shutil.copy(file, folder)
    (folder / "read_by_dlpack.py").write_text(READ_BY_DLPACK)
    file = folder / kernel.file
    source = file.read_text()
    if source.count(kernel.right) != 1:
        raise SystemExit(f"{file.name} has {kernel.right!r} {source.count(kernel.right)} times; expected it once")
    file.write_text(source.replace(kernel.right, kernel.wrong))
    if kernel.file.endswith(".c"):
        library = file.with_suffix(".so").name
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", file.name, "-o", library], cwd=folder, check=True)


def timed(kernel, examples, folder):
    """Seconds to the first failure, to the first cause and to the end, and the sentences of the findings."""
    command = [sys.executable, "-m", "convcheck", "run", "--backend", kernel.backend, "--examples", str(examples)]
    started, failure, cause = time.monotonic(), None, None
    with (folder / "stdout").open("w+") as output:
        with subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.PIPE, text=True) as run:
            for line in run.stderr:
                now = time.monotonic() - started
                failure = failure or (now if FAILURE.match(line) else None)
                cause = cause or (now if CAUSE.match(line) else None)
        end = time.monotonic() - started
        output.seek(0)
        return failure, cause, end, SENTENCE.findall(output.read())


def row(kernel, examples):
    """A line of the table."""
    with TemporaryDirectory() as folder:
        written(kernel, Path(folder))
        *seconds, sentences = timed(kernel, examples, Path(folder))
    times = ("none" if second is None else f"{second:.0f}" for second in seconds)
    return [kernel.kind, kernel.bug, *times, "<br>".join(sentences) or "nothing was found"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--only", choices=[kernel.kind for kernel in KERNELS])
    given = parser.parse_args()
    kernels = [kernel for kernel in KERNELS if given.only in (None, kernel.kind)]
    print("| kernel | what is wrong | first failure, s | first cause, s | end, s | what the run says |")
    print("|---|---|---|---|---|---|")
    for kernel in kernels:
        print(f"| {' | '.join(row(kernel, given.examples))} |", flush=True)


if __name__ == "__main__":
    main()
