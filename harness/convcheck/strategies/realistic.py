"""Layers of published networks: what implementations are run on.

Sources: ResNet-50 (He et al. 2015, table 1), VGG-16 (Simonyan & Zisserman 2014, table 1, D),
MobileNetV3-Large (Howard et al. 2019, table 1), EfficientNet-B0 (Tan & Le 2019, table 1), U-Net
(Ronneberger et al. 2015, fig. 1), ConvNeXt-T (Liu et al. 2022, table 9), the patch embeddings of ViT-B/16 and
ViT-H/14 (Dosovitskiy et al. 2021, table 1), DeepLabv3 (Chen et al. 2017,
sections 3.2 and 3.3: rates 2 and 4 in the blocks before the head at output stride 8, 6, 12 and 18 in it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from convcheck.strategies.draws import Draw, pick
from convcheck.strategies.layers import MEDIUM_BUDGET, Axis, Channels, Plan
from convcheck_reference.params import Arguments


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a published network on its own input size (height and width)."""

    network: str
    arguments: Arguments
    size: int


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
    return Layer(network, Arguments(*channels, kernel, stride, padding, rate, groups, bias), size)


LAYERS: Final = (
    _layer("ResNet-50", (64, 64), 3, 56),
    _layer("ResNet-50", (64, 256), 1, 56),
    _layer("ResNet-50", (256, 512), 1, 56, stride=2),
    _layer("ResNet-50", (128, 128), 3, 56, stride=2),
    _layer("ResNet-50", (512, 512), 3, 7),
    _layer("ResNet-50", (3, 64), 7, 224, stride=2),
    _layer("VGG-16", (3, 64), 3, 224),
    _layer("VGG-16", (512, 512), 3, 14),
    _layer("MobileNetV3-Large", (3, 16), 3, 224, stride=2),
    _layer("MobileNetV3-Large", (64, 64), 3, 112, stride=2, groups=64),
    _layer("MobileNetV3-Large", (72, 72), 5, 56, stride=2, groups=72),
    _layer("MobileNetV3-Large", (160, 960), 1, 7),
    _layer("EfficientNet-B0", (32, 32), 3, 112, groups=32),
    _layer("EfficientNet-B0", (144, 144), 5, 56, stride=2, groups=144),
    _layer("EfficientNet-B0", (1152, 1152), 5, 7, groups=1152),
    _layer("EfficientNet-B0", (320, 1280), 1, 7),
    _layer("U-Net", (1, 64), 3, 572),
    _layer("U-Net", (1024, 512), 3, 56),
    _layer("ConvNeXt-T", (96, 96), 7, 56, groups=96),
    Layer("ConvNeXt-T", Arguments(3, 96, 4, 4), 224),
    Layer("ConvNeXt-T", Arguments(96, 192, 2, 2), 56),
    Layer("ViT-B/16", Arguments(3, 768, 16, 16), 224),
    Layer("ViT-H/14", Arguments(3, 1280, 14, 14), 224),
    _layer("DeepLabv3", (256, 256), 3, 33, rate=2),
    _layer("DeepLabv3", (512, 512), 3, 33, rate=4),
    _layer("DeepLabv3", (2048, 256), 3, 33, rate=6),
    _layer("DeepLabv3", (2048, 256), 3, 33, rate=12),
    _layer("DeepLabv3", (2048, 256), 3, 33, rate=18),
)


def realistic(draw: Draw) -> Plan:
    """A published layer with channels and image scaled down to the budget, its structure kept.

    Images are cropped to any height and width, as networks without a dense head take them.
    """
    layer = pick(draw, LAYERS)
    spelled = layer.arguments
    kernel, rate, padding = spelled.kernel_size, spelled.dilation, spelled.padding
    least = rate * (kernel - 1) + 1 - 2 * padding
    height, width = (max(min(layer.size, draw(14, 30)), least) for _ in range(2))
    groups = min(spelled.groups, 24)
    into = min(spelled.in_channels // spelled.groups, 24)
    out = min(spelled.out_channels // spelled.groups, 32)
    vertical, horizontal = (Axis(size, kernel, spelled.stride, padding, rate) for size in (height, width))
    channels = Channels(groups, groups * into, groups * out)
    return Plan(vertical, horizontal, channels, 2, bias=spelled.bias).within(MEDIUM_BUDGET)
