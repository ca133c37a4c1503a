"""A device that takes six seconds to start and is none, to measure what a run makes of it.

convcheck run --backend benchmarks/slow_start.py:SlowStart --examples 1000 --workers 1 --database none
"""

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "plugins"))

from fake_device import OnFakeDevice

SECONDS = 6.0
OF_A_CALL = 0.003
"""Seconds of a call, as of cuDNN's for a layer that it has not seen."""


class SlowStart(OnFakeDevice):
    """Right, and slow to start."""

    name = "slow-start"

    def __init__(self):
        time.sleep(SECONDS)
        super().__init__()

    def conv2d(self, x, weight, bias, params):
        time.sleep(OF_A_CALL)
        return super().conv2d(x, weight, bias, params)
