"""Layers of torch that are right, and built in another way than `torch.nn.Conv2d`."""

import torch
from torch.nn.utils.parametrizations import weight_norm


class ComputedWeight(torch.nn.Conv2d):
    """Its weight is computed from other parameters."""

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        weight_norm(self)
