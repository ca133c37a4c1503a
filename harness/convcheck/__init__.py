"""convcheck: does a Conv2d implementation compute what `torch.nn.Conv2d` is documented to compute?

Everything public is exported here.
"""

from convcheck.backend import Backend, DoubleGradients, Gradients, Module, UnavailableError
from convcheck.capabilities import Capabilities, CapabilityError
from convcheck.case import LAYOUTS, REGIMES, Case
from convcheck.function_backend import capabilities
from convcheck.profiles import PROFILES, Profile
from convcheck.reference_backend import ReferenceBackend
from convcheck.registry import RegistryError, load, register
from convcheck.token import TokenError
from convcheck.verdicts import Evidence, Status, Verdict
from convcheck_reference.errors import ConvcheckError

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
