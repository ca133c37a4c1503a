"""New memory as a call finds it: free memory of the sizes of its results holds poison, which shows if it is left."""

from __future__ import annotations

import math
from typing import Any

from convcheck.model.calls import Call, Operation
from convcheck.tensors.poison import Poison, poison_free_memory
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Conv2dParams


def poison_for(call: Call, params: Conv2dParams, native: Any) -> bool:
    """Poison free memory of the sizes of the results; whether all new memory of these sizes is poisoned.

    Args:
        call: the next one.
        params: its layer.
        native: a tensor of it, which tells whose memory it is.
    """
    dtype = DTYPES[call.dtype]
    kind: Poison = "large" if call.tensors["x"].memory == "guard_before" else "nan"
    if call.operation is Operation.BACKWARD:
        # of the gradients
        sizes = [call.tensors[name].values.size for name in ("x", "weight", "bias") if name in call.tensors]
    else:
        try:
            sizes = [math.prod(params.output_shape(call.tensors["x"].values.shape))]
        except ConvcheckError:
            return False
    if call.operation is Operation.DOUBLE_BACKWARD:
        sizes += [call.tensors[name].values.size for name in ("x", "weight")]
    poisoned = [poison_free_memory(native, dtype, size, kind) for size in sizes]
    return all(poisoned)
