"""Groups and bias: what belongs to which channel."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import EVERYWHERE, Array, both, gives, leaves, operand
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Problem

_groups = partial(deviating, Category.GROUPS)
_bias = partial(deviating, Category.BIAS)


def _outputs_interleaved(output: Array, problem: Problem) -> Array:
    blocks = output.reshape(problem.batch, problem.params.groups, problem.out_per_group, *output.shape[2:])
    return blocks.swapaxes(1, 2).reshape(output.shape)


def _inputs_interleaved(x: Array, problem: Problem) -> Array:
    blocks = x.reshape(problem.batch, problem.in_per_group, problem.params.groups, *x.shape[2:])
    return blocks.swapaxes(1, 2).reshape(x.shape)


def _offset_of_outputs(x: Array, problem: Problem) -> Array:
    """Group g begins at input channel g·(O/G)."""
    first = np.arange(problem.params.groups)[:, None] * problem.out_per_group
    return x[:, ((first + np.arange(problem.in_per_group)) % x.shape[1]).reshape(-1)]


def _groups_read(weight: Array, problem: Problem, which: Array) -> Array:
    blocks = weight.reshape(problem.params.groups, problem.out_per_group, *weight.shape[1:])
    return blocks[which].reshape(weight.shape)


def _modulo_order(problem: Problem) -> Array:
    """Output channels sorted by their remainder on division by the number of groups."""
    return np.arange(problem.params.out_channels).reshape(-1, problem.params.groups).T.reshape(-1)


def _from_modulo_order(output: Array, problem: Problem) -> Array:
    restored = np.empty_like(output)
    restored[:, _modulo_order(problem)] = output
    return restored


def _twice(output: Array, problem: Problem) -> Array:
    assert problem.bias is not None
    output = output.copy()
    output[..., 0, :] += np.asarray(problem.bias, np.float64)[:, None]
    return output


def _per_column(output: Array, problem: Problem) -> Array:
    assert problem.bias is not None
    bias = np.asarray(problem.bias, np.float64)
    return output - bias[:, None, None] + bias


def _first_image_only(output: Array, problem: Problem) -> Array:
    assert problem.bias is not None
    output = output.copy()
    output[1:] -= np.asarray(problem.bias, np.float64)[:, None, None]
    return output


def _but_tail(bias: Array, _: Problem) -> Array:
    return np.where(np.arange(len(bias)) < len(bias) // 8 * 8, bias, np.zeros_like(bias))


GROUPS: Final[tuple[Defect, ...]] = (
    _groups("group-outputs-interleaved", "output channels interleaved across groups",
            "groups > 1 and out_per_group > 1", gives(_outputs_interleaved)),
    _groups("group-inputs-interleaved", "group g reading input channels g, g + groups, …",
            "groups > 1 and in_per_group > 1", operand("x", _inputs_interleaved)),
    _groups("group-offset-of-outputs", "groups that begin at input channels a multiple of out / groups apart",
            "groups > 1 and in_per_group != out_per_group", operand("x", _offset_of_outputs)),
    _groups("group-weights-of-first", "every group using the weights of the first, output and gradients alike",
            "groups > 1",
            operand("weight", lambda w, p: _groups_read(w, p, np.zeros(p.params.groups, int)), on=EVERYWHERE)),
    _groups("last-group-of-odd-skipped", "the last group left at zero where their number is odd",
            "groups > 1 and groups % 2 == 1", leaves(lambda p: (slice(None), slice(-p.out_per_group, None)))),
    _groups("groups-beyond-eight", "groups beyond the eighth using the weights of the first eight again",
            "groups > 8", operand("weight", lambda w, p: _groups_read(w, p, np.arange(p.params.groups) % 8))),
    _groups("two-groups-crossed", "two groups reading each other's input channels",
            "groups == 2", operand("x", lambda x, p: np.roll(x, p.in_per_group, axis=1))),
    _groups("multiplier-filters-lost", "depthwise layers with only the first filter of each channel",
            "groups > 1 and in_per_group == 1 and out_per_group > 1",
            leaves(lambda p: (slice(None), np.arange(p.params.out_channels) % p.out_per_group > 0))),
    _groups("multiplier-modulo", "depthwise layers whose output channel o reads input channel o mod groups",
            "groups > 1 and in_per_group == 1 and out_per_group > 1",
            both(operand("weight", lambda w, p: w[_modulo_order(p)]), gives(_from_modulo_order))),
    _groups("shared-last-channel", "groups of three or more channels reading their first channel in place of the last",
            "groups > 1 and in_per_group > 2",
            operand("x", lambda x, p: x[:, [c - p.in_per_group + 1 if (c + 1) % p.in_per_group == 0 else c
                                            for c in range(x.shape[1])]])),
)  # fmt: skip
"""The defects of groups."""

BIASES: Final[tuple[Defect, ...]] = (
    _bias("bias-per-column", "the bias added along the columns where their number is that of the channels",
          "bias and output_w == out_channels and out_channels > 1", gives(_per_column)),
    _bias("bias-twice-in-first-row", "the bias added twice in the first row where there is padding",
          "bias and padding_h > 0", gives(_twice)),
    _bias("bias-per-group", "one bias for a whole group",
          "bias and groups > 1 and out_per_group > 1",
          operand("bias", lambda b, p: b[np.arange(len(b)) // p.out_per_group])),
    _bias("bias-in-first-image-only", "the bias added to the first image only",
          "bias and batch > 1", gives(_first_image_only)),
    _bias("bias-lost-with-groups", "no bias where there are groups",
          "bias and groups > 1", operand("bias", lambda b, _: np.zeros_like(b))),
    _bias("bias-tail", "no bias for the channels after the last multiple of eight",
          "bias and out_channels > 8 and out_channels % 8 != 0", operand("bias", _but_tail)),
    _bias("bias-lost-unbatched", "no bias for an unbatched input",
          "bias and unbatched", operand("bias", lambda b, _: np.zeros_like(b))),
    _bias("bias-negative-lost", "a negative bias taken for zero",
          "bias", operand("bias", lambda b, _: np.where(b < 0, np.zeros_like(b), b))),
    _bias("bias-repeats-after-sixteen", "the bias of the first sixteen channels again for the next ones",
          "bias and out_channels > 16", operand("bias", lambda b, _: b[np.arange(len(b)) % 16])),
    _bias("bias-lost-in-one-by-one", "no bias for 1×1 kernels",
          "bias and kernel_h == 1 and kernel_w == 1", operand("bias", lambda b, _: np.zeros_like(b))),
)  # fmt: skip
"""The defects of bias."""
