"""Layers of published networks: what implementations are run on.

Sources: ResNet-50 (He et al. 2015, table 1), VGG-16 (Simonyan & Zisserman 2014, table 1, D), MobileNetV3-Large
(Howard et al. 2019, table 1), EfficientNet-B0 (Tan & Le 2019, table 1), U-Net (Ronneberger et al. 2015, fig. 1),
ConvNeXt-T (Liu et al. 2022, table 9), the patch embeddings of ViT-B/16 and ViT-H/14 (Dosovitskiy et al. 2021, table
1), DeepLabv3 (Chen et al. 2017, sections 3.2 and 3.3: rates 2 and 4 in the blocks before the head at output stride 8,
6, 12 and 18 in it), Inception-v3 (Szegedy et al. 2015, figs. 6 and 7), GCN (Peng et al. 2017, "Large Kernel Matters",
section 3.1, k = 9), EEGNet (Lawhern et al. 2018, table 2), Deep and Shallow ConvNet (Schirrmeister et al. 2017, figs.
1 and 2), M5 (Dai et al. 2016, table 1), wav2vec 2.0 (Baevski et al. 2020, section 4.2, one second of audio), SincNet
(Ravanelli & Bengio 2018, section 3: 200 ms), RepLKNet-31B (Ding et al. 2022, section 4.1), the U-Net of Stable
Diffusion 1 (Rombach et al. 2022; 64 × 64 latents).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from convcheck.model.ladder import Ladder
from convcheck.strategies.draws import Draw, pick
from convcheck.strategies.layers import MEDIUM_BUDGET, Axis, Channels, Plan
from convcheck_reference.params import Arguments, Conv2dParams

_MOST_COLUMNS: Final = 1 << 24
"""Of layers that take about a second with all that is asked of them."""

_IMAGE: Final = 5
"""Channels that the input of a network has fewer of: kernels of their own read it."""

_VECTOR, _FEW = 8, 4


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a published network.

    Attributes:
        network: its name.
        arguments: the layer.
        size: of its input, (height, width).
    """

    network: str
    arguments: Arguments
    size: tuple[int, int]

    @property
    def columns(self) -> int:
        """Pixels under all taps, for one image: what lies in a buffer of im2col."""
        params = Conv2dParams.of(self.arguments)
        return math.prod(params.output_size(*self.size)) * params.fan_in * params.groups


def _layer(
    network: str,
    channels: tuple[int, int],
    kernel: int,
    size: int,
    *,
    stride: int = 1,
    rate: int = 1,
    groups: int = 1,
) -> Layer:
    padding = rate * (kernel - 1) // 2 if network != "U-Net" else 0
    bias = network in ("VGG-16", "U-Net", "ConvNeXt-T")
    return Layer(network, Arguments(*channels, kernel, stride, padding, rate, groups, bias), (size, size))


LAYERS: Final = (
    _layer("ResNet-50", (3, 64), 7, 224, stride=2),
    _layer("ResNet-50", (64, 64), 1, 56),
    _layer("ResNet-50", (64, 64), 3, 56),
    _layer("ResNet-50", (64, 256), 1, 56),
    _layer("ResNet-50", (256, 64), 1, 56),
    _layer("ResNet-50", (128, 128), 3, 56, stride=2),
    _layer("ResNet-50", (256, 512), 1, 56, stride=2),
    _layer("ResNet-50", (128, 128), 3, 28),
    _layer("ResNet-50", (256, 256), 3, 14),
    _layer("ResNet-50", (1024, 2048), 1, 14, stride=2),
    _layer("ResNet-50", (512, 512), 3, 7),
    _layer("ResNet-50", (2048, 512), 1, 7),
    _layer("VGG-16", (3, 64), 3, 224),
    _layer("VGG-16", (64, 64), 3, 224),
    _layer("VGG-16", (64, 128), 3, 112),
    _layer("VGG-16", (256, 256), 3, 56),
    _layer("VGG-16", (512, 512), 3, 14),
    _layer("MobileNetV3-Large", (3, 16), 3, 224, stride=2),
    _layer("MobileNetV3-Large", (16, 16), 3, 112, groups=16),
    _layer("MobileNetV3-Large", (64, 64), 3, 112, stride=2, groups=64),
    _layer("MobileNetV3-Large", (72, 72), 5, 56, stride=2, groups=72),
    _layer("MobileNetV3-Large", (960, 960), 5, 7, groups=960),
    _layer("MobileNetV3-Large", (160, 960), 1, 7),
    _layer("EfficientNet-B0", (32, 32), 3, 112, groups=32),
    _layer("EfficientNet-B0", (144, 144), 5, 56, stride=2, groups=144),
    _layer("EfficientNet-B0", (1152, 1152), 5, 7, groups=1152),
    _layer("EfficientNet-B0", (320, 1280), 1, 7),
    _layer("U-Net", (1, 64), 3, 572),
    _layer("U-Net", (64, 64), 3, 570),
    _layer("U-Net", (512, 1024), 3, 32),
    _layer("U-Net", (1024, 512), 3, 56),
    _layer("ConvNeXt-T", (96, 96), 7, 56, groups=96),
    _layer("ConvNeXt-T", (768, 768), 7, 7, groups=768),
    Layer("ConvNeXt-T", Arguments(3, 96, 4, 4), (224, 224)),
    Layer("ConvNeXt-T", Arguments(96, 192, 2, 2), (56, 56)),
    Layer("ViT-B/16", Arguments(3, 768, 16, 16), (224, 224)),
    Layer("ViT-B/32", Arguments(3, 768, 32, 32), (224, 224)),
    Layer("ViT-L/14", Arguments(3, 1024, 14, 14), (224, 224)),
    Layer("ViT-H/14", Arguments(3, 1280, 14, 14), (224, 224)),
    _layer("DeepLabv3", (256, 256), 3, 33, rate=2),
    _layer("DeepLabv3", (512, 512), 3, 33, rate=4),
    _layer("DeepLabv3", (2048, 256), 3, 33, rate=6),
    _layer("DeepLabv3", (2048, 256), 3, 33, rate=12),
    _layer("DeepLabv3", (2048, 256), 3, 33, rate=18),
    Layer("Inception-v3", Arguments(192, 192, (1, 7), 1, (0, 3), bias=False), (17, 17)),
    Layer("Inception-v3", Arguments(160, 192, (7, 1), 1, (3, 0), bias=False), (17, 17)),
    Layer("Inception-v3", Arguments(384, 384, (1, 3), 1, (0, 1), bias=False), (8, 8)),
    Layer("GCN", Arguments(21, 21, (1, 9), 1, (0, 4)), (16, 16)),
    Layer("GCN", Arguments(21, 21, (9, 1), 1, (4, 0)), (32, 32)),
    Layer("EEGNet", Arguments(1, 8, (1, 64), padding="same", bias=False), (64, 128)),
    Layer("DeepConvNet", Arguments(25, 50, (1, 10), bias=False), (1, 171)),
    Layer("ShallowConvNet", Arguments(1, 40, (1, 25)), (44, 534)),
    Layer("M5", Arguments(1, 128, (1, 80), (1, 4)), (1, 32_000)),
    Layer("wav2vec 2.0", Arguments(1, 512, (1, 10), (1, 5), bias=False), (1, 16_000)),
    Layer("SincNet", Arguments(1, 80, (1, 251)), (1, 3_200)),
    _layer("RepLKNet-31B", (128, 128), 31, 56, groups=128),
    _layer("RepLKNet-31B", (512, 512), 27, 14, groups=512),
    _layer("Stable Diffusion", (1280, 1280), 3, 8),
    _layer("Stable Diffusion", (1280, 1280), 3, 16),
    _layer("Stable Diffusion", (4, 320), 3, 64),
)


def published(ladder: Ladder) -> tuple[Layer, ...]:
    """The layers that a ladder has at their true size: none, those of up to `_MOST_COLUMNS`, or all."""
    if ladder is Ladder.QUICK:
        return ()
    return LAYERS if ladder is Ladder.DEEP else tuple(layer for layer in LAYERS if layer.columns <= _MOST_COLUMNS)


def as_published(layer: Layer) -> Plan:
    """A layer at its true channels and size, on one image."""
    params = Conv2dParams.of(layer.arguments)
    padding = layer.arguments.padding if isinstance(layer.arguments.padding, str) else ""
    vertical, horizontal = (
        Axis(size, kernel, stride, max(pads), dilation)
        for size, kernel, stride, pads, dilation in zip(
            layer.size, params.kernel_size, params.stride, params.padding, params.dilation, strict=True
        )
    )
    channels = Channels(params.groups, params.in_channels, params.out_channels)
    return Plan(vertical, horizontal, channels, 1, padding, bias=params.bias)


def _structure(layer: Layer) -> tuple[Any, ...]:
    """What kernels are chosen by: all but the numbers of channels and the size."""
    spelled = layer.arguments
    depthwise, of_an_image = spelled.groups == spelled.in_channels > 1, spelled.in_channels < _IMAGE
    return spelled.kernel_size, spelled.stride, spelled.padding, spelled.dilation, depthwise, of_an_image


def _square(layer: Layer) -> bool:
    """Whether kernel, stride and padding are the same along both axes."""
    return all(isinstance(getattr(layer.arguments, name), int) for name in ("kernel_size", "stride", "padding"))


def _alike() -> tuple[tuple[Layer, ...], ...]:
    found: dict[tuple[Any, ...], list[Layer]] = {}
    for layer in filter(_square, LAYERS):
        found.setdefault(_structure(layer), []).append(layer)
    return tuple(map(tuple, found.values()))


_STRUCTURES: Final = _alike()

TURNS: Final = len(_STRUCTURES) * _VECTOR
"""Of `realistic`: each structure with each number of columns that vectors of eight leave over."""


def realistic(draw: Draw, turn: int) -> Plan:
    """A published layer with channels and image scaled down to the budget, its structure kept.

    Images have any height and width, as networks without a dense head take them.

    Args:
        draw: the choices.
        turn: below `TURNS`: one structure after the other, then each with the next number of columns left over.
    """
    rounds, at = divmod(turn, len(_STRUCTURES))
    left_over = (rounds + at) % _VECTOR
    layer = pick(draw, _STRUCTURES[at])
    spelled = layer.arguments
    kernel, stride, rate, padding = spelled.kernel_size, spelled.stride, spelled.dilation, spelled.padding
    least = rate * (kernel - 1) + 1 - 2 * padding
    height = max(min(layer.size[0], draw(14, 30)), least)
    columns = (left_over or _VECTOR) + _VECTOR * draw(0, 2 if stride <= _FEW else 0)
    width = max(1, (columns - 1) * stride + least + draw(0, stride - 1))
    groups = min(spelled.groups, 24)
    into = min(spelled.in_channels // spelled.groups, 24)
    out = min(spelled.out_channels // spelled.groups, 32)
    vertical, horizontal = (Axis(size, kernel, stride, padding, rate) for size in (height, width))
    channels = Channels(groups, groups * into, groups * out)
    return Plan(vertical, horizontal, channels, 2, bias=spelled.bias).within(MEDIUM_BUDGET)
