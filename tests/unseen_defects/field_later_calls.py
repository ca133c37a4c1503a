"""Other layouts, plans, refusals and partial sums that go wrong in the field.

Above each stands the kind of bug, and a thread that reports one if there is one. "Not expressible" as in `field_calls`.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcheck.defects.deviations import operand, rounded, sums
from convcheck.defects.model import Category, Defect, DefectBackend, deviating
from convcheck.model.rules import ALWAYS, Rule
from convcheck.plugin.function_backend import FunctionBackend
from convcheck_reference.params import Conv2dParams
from unseen_defects import torch_functions


def _columns_without_steps(x, _):
    image, row, pixel = x.strides[-3:]
    nested = row >= pixel * x.shape[-1] and image >= row * x.shape[-2]
    stepped = x.shape[-1] > 1 and pixel > x.itemsize and nested
    return as_strided(x, strides=(*x.strides[:3], x.itemsize)) if stepped else x


def _pixels_of_own_channels(x, _):
    batch, channel, row, pixel = x.strides
    own = x.shape[1] * x.itemsize
    if x.shape[1] == 1 or channel != x.itemsize or pixel <= own:
        return x
    return as_strided(x, strides=(batch, channel, row, own))


def _shared_filter_as_stored(weight, _):
    if weight.shape[1] == 1 or weight.strides[1] or not weight.strides[0]:
        return weight
    stored = weight[:, :1].reshape(-1)
    return stored[np.arange(weight.size) % stored.size].reshape(weight.shape)


class PlansEvicted(DefectBackend):
    """Has room for 700 plans. The next ones take it from the oldest, to whose number a layer still points."""

    def __init__(self):
        self._numbers = {}
        self._room = {}

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        key = (x.shape, params)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) % 700
            self._room[self._numbers[key]] = key
        return output if self._room[self._numbers[key]] == key else np.zeros_like(output)


class WorkspaceOfFirstBatch(DefectBackend):
    """Keeps a workspace by the layer and the size of an image, which holds as many images as came first."""

    def __init__(self):
        self._images = {}

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        if x.ndim == 4 and len(x):
            held = self._images.setdefault((x.shape[1:], x.dtype, params), len(x))
            output[held:] = 0
        return output


class RareRace(DefectBackend):
    """One call in 5,000, by what it is given and by how many there were before, is read before it is written."""

    def __init__(self):
        self._calls = 0

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        self._calls += 1
        if zlib.crc32(self._calls.to_bytes(8, "little"), zlib.crc32(x.tobytes())) % 5000 == 0:
            output[..., -1:, :, :] = 0
        return output


class FirstOfDepth(DefectBackend):
    """Counts dimensions from the front, and has a single slice of depth."""

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x[:, :, 0] if x.ndim == 5 else x, weight, bias, params)


class TruthOfGroups(DefectBackend):
    """Takes True for a number."""

    def conv2d(self, x, weight, bias, params):
        groups = params.arguments.groups
        spelled = replace(params.arguments, groups=int(groups)) if isinstance(groups, bool) else params.arguments
        return super().conv2d(x, weight, bias, Conv2dParams.of(spelled))


def _sixteen_in_half(a, b):
    blocks = (slice(start, start + 16) for start in range(0, a.shape[-1], 16))
    return sum(rounded(a[..., block] @ b[..., block, :], "float16") for block in blocks)


CALLS = (
    # The pointer of the storage for that of the tensor: https://github.com/pytorch/pytorch/issues/174345.
    # Not expressible: every tensor begins its own storage.
    Defect(
        "storage-from-its-start", Category.LAYOUT,
        "an input that is a view of a larger torch tensor read from the start of that",
        Rule("False"), lambda: FunctionBackend(torch_functions.storage_from_its_start, "defect"),
    ),
    # Every second row and column, as x[..., ::2, ::2]: the step of rows is known, that of columns taken for one.
    # Not expressible.
    deviating(
        Category.LAYOUT, "columns-without-steps",
        "an input of every n-th column of a larger one read without steps along the row",
        "width > 1",
        operand("x", _columns_without_steps),
    ),
    # Some channels of a channels_last tensor: the distance of two pixels is that of the larger one:
    # https://github.com/pytorch/pytorch/issues/180984. Not expressible.
    deviating(
        Category.LAYOUT, "pixels-of-own-channels",
        "an input of some channels of a channels_last tensor whose pixels are read as if there were no others",
        "in_channels > 1 and width > 1",
        operand("x", _pixels_of_own_channels),
    ),
    # One filter for all channels, expanded: stride 0 along one axis of the weight that is not the first:
    # https://github.com/pytorch/pytorch/issues/4500. Not expressible.
    deviating(
        Category.LAYOUT, "shared-filter-as-stored",
        "a weight of stride 0 along its channels read as contiguous",
        "in_per_group > 1 and out_channels * kernel_h * kernel_w > 1",
        operand("weight", _shared_filter_as_stored),
    ),
    # A cache that is full: what it gives up is still pointed at.
    Defect(
        "plans-evicted", Category.STATE,
        "an output of zeros for a layer that 700 others were called after",
        ALWAYS, PlansEvicted,
    ),
    # A key without the batch: https://github.com/pjreddie/darknet/issues/915
    Defect(
        "workspace-of-first-batch", Category.STATE,
        "images beyond as many as the first call of a layer had left at zero",
        Rule("batch > 1"), WorkspaceOfFirstBatch,
    ),
    # A barrier that is missing: https://github.com/iree-org/iree/pull/22669
    Defect(
        "rare-race", Category.STATE,
        "the last channel of the output left at zero in one call of five thousand",
        ALWAYS, RareRace,
    ),
    # A check that counts four dimensions at least. Not expressible: no case has five.
    Defect(
        "five-dimensions-taken", Category.CONTRACT,
        "an input of five dimensions accepted, of which the first slice of depth is read",
        Rule("False"), FirstOfDepth,
    ),
    # A bool is an int in Python.
    Defect(
        "true-for-groups-taken", Category.CONTRACT,
        "True accepted as one group",
        Rule("False"), TruthOfGroups,
    ),
    # Matrix instructions of sixteen products whose accumulator has the dtype of the operands:
    # https://github.com/uxlfoundation/oneDNN/pull/5041
    deviating(
        Category.PRECISION, "sixteen-products-in-half",
        "float16 layers of more than 16 products that round every sixteen of them to float16 before they are summed",
        "dtype == 'float16' and in_per_group * kernel_h * kernel_w > 16",
        sums(_sixteen_in_half),
    ),
    # A frozen layer in the middle of a network asks for the input's gradient alone. Not expressible.
    Defect(
        "grad-input-alone", Category.GRADIENTS,
        "an input gradient without its last row wherever nothing else is asked for",
        Rule("False"), lambda: FunctionBackend(torch_functions.input_alone, "defect"),
    ),
    # Backward sums into a buffer that it made in forward. Not expressible.
    Defect(
        "second-backward-adds", Category.GRADIENTS,
        "a weight gradient that has that of the first backward in it where the graph is kept for a second",
        Rule("False"), lambda: FunctionBackend(torch_functions.second_backward_adds, "defect"),
    ),
)  # fmt: skip
"""What is not a matter of size."""
