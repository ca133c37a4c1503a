"""convcheck: does a Conv2d implementation compute what `torch.nn.Conv2d` is documented to compute?

Everything public is exported here.
"""

from typing import TYPE_CHECKING, Any

from convcheck.model.capabilities import Capabilities, CapabilityError
from convcheck.model.case import LAYOUTS, REGIMES, Case
from convcheck.model.profiles import PROFILES, Profile
from convcheck.model.token import TokenError
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.plugin.backend import Backend, DoubleGradients, Gradients, Module, UnavailableError
from convcheck.plugin.function_backend import capabilities
from convcheck.plugin.registry import RegistryError, load, register
from convcheck_reference.errors import ConvcheckError

if TYPE_CHECKING:
    from convcheck.plugin.reference_backend import ReferenceBackend

__all__ = [
    "LAYOUTS",
    "PROFILES",
    "REGIMES",
    "Backend",
    "Capabilities",
    "CapabilityError",
    "Case",
    "ConvcheckError",
    "DoubleGradients",
    "Evidence",
    "Gradients",
    "Module",
    "Profile",
    "ReferenceBackend",
    "RegistryError",
    "Status",
    "TokenError",
    "UnavailableError",
    "Verdict",
    "capabilities",
    "load",
    "register",
]


def __getattr__(name: str) -> Any:
    # it brings the reference along, which the process of an untrusted candidate must not hold
    if name == "ReferenceBackend":
        from convcheck.plugin.reference_backend import ReferenceBackend  # noqa: PLC0415

        return ReferenceBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
