"""Which accumulators exact integers tell apart from the promised one: ``python benchmarks/accumulators.py``.

Partial sums of eight layers at two seeds are kept in fewer bits: in 2, 4 and 8 parts, and in blocks of 16, 32 and 64
products. Printed is how many of these kernels differ from the exact result anywhere.
"""

from __future__ import annotations

import itertools

import numpy as np

from convcheck.defects.accumulators import blocks, partial_sums, parts, split
from convcheck.defects.problem import compute, problem
from convcheck.model.profiles import QUANTITIES, STRICT, TF32_INPUTS, Profile, Quantity
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.support.expected import Expected
from convcheck.tensors.values import integer_values
from convcheck_reference.formats import DTYPES

LAYERS = (
    "x=1x512x6x6,out=8,k=3",
    "x=1x64x14x14,out=64,k=3,p=1",
    "x=4x32x9x9,out=48,k=1",
    "x=2x16x20x20,out=16,k=3,g=16,p=1",
    "x=2x24x11x13,out=20,k=5x3,s=2,p=2",
    "x=8x3x17x17,out=32,k=7,s=2",
    "x=3x128x5x5,out=12,k=2,d=2,g=4",
    "x=96x7x7,out=40,k=3,p=same,mode=circular",
)
CUTS = (split(2), split(4), split(8), blocks(16), blocks(32), blocks(64))
KEPT = ("bfloat16", "float16", "tf32", "float32")
PROMISES = (
    ("float16", STRICT["float16"]),
    ("bfloat16", STRICT["bfloat16"]),
    ("float32", STRICT["float32"]),
    ("float32", TF32_INPUTS),
)


def found(token: str, profile: Profile, quantity: Quantity, kept: str) -> list[bool]:
    """Whether each cut of the sums of one layer shows, of those that make several of one."""
    case = read(token)
    values = integer_values(case, dict.fromkeys(QUANTITIES, profile))
    expected = Expected(case, values)
    posed = problem(values.x, values.weight, values.bias, case.params, values.grad_output)
    shape = expected.sum(quantity).value.shape
    verdicts = []
    for cut in (cut for cut in CUTS if parts(cut, posed, quantity) > 1):
        with np.errstate(over="ignore"):
            got = partial_sums(cut, kept, on=(quantity,))(compute)(posed, quantity)
            got = got.reshape(shape).astype(DTYPES[case.dtype])
        verdicts.append(compare_integers(got, expected, quantity, profile).status is not Status.PASS)
    return verdicts


def main() -> None:
    """Print a row for each promise and quantity."""
    print(f"| dtype, promise | quantity | {' | '.join(KEPT)} |")
    print(f"|---|---|{'---|' * len(KEPT)}")
    for (dtype, profile), quantity in itertools.product(PROMISES, QUANTITIES):
        cells = []
        for kept in KEPT:
            tokens = [f"v1,{layer},dtype={dtype},seed={seed}" for layer in LAYERS for seed in (0, 1)]
            shown = [verdict for token in tokens for verdict in found(token, profile, quantity, kept)]
            cells.append(f"{sum(shown)}/{len(shown)}")
        print(f"| {dtype}, {profile.name} | {quantity} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
