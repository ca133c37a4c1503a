"""What the command line costs before it judges anything: seconds of CPU, of convcheck and all that it starts.

The least of several runs of each command, since whatever else the machine does only adds to it.

    OMP_NUM_THREADS=1 python benchmarks/startup.py --rounds 5
"""

import argparse
import resource
import subprocess
import sys
from tempfile import TemporaryDirectory

from tabulate import tabulate

COMMANDS = {
    "(Python itself)": ("-c", ""),
    "--help": ("-m", "convcheck", "--help"),
    "--version": ("-m", "convcheck", "--version"),
    "list": ("-m", "convcheck", "list"),
    "explain": ("-m", "convcheck", "explain", "Conv2d(3, 10, kernel_size=5)"),
    "run --help": ("-m", "convcheck", "run", "--help"),
    "run, one case of numpy": ("-m", "convcheck", "run", "--backend=numpy", "--examples=1", "--workers=1"),
}


def cpu(arguments, folder):
    """Seconds of CPU that Python and what it starts take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        rows = [[name, min(cpu(given, folder) for _ in range(rounds))] for name, given in COMMANDS.items()]
    print(tabulate(rows, ["command", "CPU, s"], floatfmt=".2f"))


if __name__ == "__main__":
    main()
