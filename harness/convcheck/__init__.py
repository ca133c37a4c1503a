"""convcheck: does a Conv2d implementation compute what `torch.nn.Conv2d` is documented to compute?

Everything public is exported here, and imported when it is first asked for: the pytest plugin loads in every run of
pytest, and a process that runs a candidate has no reference in it.
"""

from typing import TYPE_CHECKING, Final

from convcheck_reference.lazy import lazily

__all__ = [
    "CUDA_PROFILES",
    "LAYOUTS",
    "NON_NEGATIVE_STRIDES",
    "PATHS",
    "PROFILES",
    "QUANTITIES",
    "REGIMES",
    "TF32_PROFILES",
    "Accelerator",
    "Algorithm",
    "Backend",
    "Capabilities",
    "CapabilityError",
    "Case",
    "CheckError",
    "CheckResult",
    "Conv2dParams",
    "ConvcheckError",
    "DoubleGradients",
    "Evidence",
    "Extension",
    "FindingsError",
    "Format",
    "Gradients",
    "Level",
    "Module",
    "Profile",
    "ProfileKey",
    "Quantity",
    "ReferenceBackend",
    "RegistryError",
    "Replayed",
    "ScriptCall",
    "SignatureError",
    "Status",
    "TokenError",
    "TorchAccelerator",
    "UnavailableError",
    "Verdict",
    "c_backend",
    "capabilities",
    "check",
    "differentiate",
    "differentiate_twice",
    "from_torch",
    "load",
    "parametrize_with_checks",
    "register",
    "replay",
    "strategies",
    "to_torch",
    "torch_script_lines",
]

if TYPE_CHECKING:
    from convcheck import strategies
    from convcheck.checking import CheckError, CheckResult, FindingsError, Replayed, check, replay
    from convcheck.model.capabilities import Capabilities, CapabilityError, ProfileKey
    from convcheck.model.case import LAYOUTS, NON_NEGATIVE_STRIDES, REGIMES, Case
    from convcheck.model.cuda_profiles import CUDA_PROFILES, TF32_PROFILES
    from convcheck.model.extensions import Extension
    from convcheck.model.levels import Level
    from convcheck.model.paths import PATHS
    from convcheck.model.profiles import PROFILES, QUANTITIES, Algorithm, Profile, Quantity
    from convcheck.model.token import TokenError
    from convcheck.model.verdicts import Evidence, Status, Verdict
    from convcheck.plugin.accelerator import Accelerator
    from convcheck.plugin.backend import Backend, DoubleGradients, Gradients, Module, UnavailableError
    from convcheck.plugin.c_backend import c_backend
    from convcheck.plugin.function_backend import SignatureError, capabilities
    from convcheck.plugin.own_words import ScriptCall, torch_script_lines
    from convcheck.plugin.reference_backend import ReferenceBackend
    from convcheck.plugin.registry import load, register
    from convcheck.plugin.registry_errors import RegistryError
    from convcheck.plugin.torch_accelerator import TorchAccelerator
    from convcheck.plugin.torch_bridge import differentiate, differentiate_twice, from_torch, to_torch
    from convcheck.suite.parametrizing import parametrize_with_checks
    from convcheck_reference.errors import ConvcheckError
    from convcheck_reference.formats import Format
    from convcheck_reference.params import Conv2dParams

_HOMES: Final = {
    "convcheck.checking": ("CheckError", "CheckResult", "FindingsError", "Replayed", "check", "replay"),
    "convcheck.model.capabilities": ("Capabilities", "CapabilityError", "ProfileKey"),
    "convcheck.model.case": ("LAYOUTS", "NON_NEGATIVE_STRIDES", "REGIMES", "Case"),
    "convcheck.model.cuda_profiles": ("CUDA_PROFILES", "TF32_PROFILES"),
    "convcheck.model.extensions": ("Extension",),
    "convcheck.model.levels": ("Level",),
    "convcheck.model.paths": ("PATHS",),
    "convcheck.model.profiles": ("PROFILES", "QUANTITIES", "Algorithm", "Profile", "Quantity"),
    "convcheck.model.token": ("TokenError",),
    "convcheck.model.verdicts": ("Evidence", "Status", "Verdict"),
    "convcheck.plugin.accelerator": ("Accelerator",),
    "convcheck.plugin.torch_accelerator": ("TorchAccelerator",),
    "convcheck.plugin.c_backend": ("c_backend",),
    "convcheck.plugin.backend": ("Backend", "DoubleGradients", "Gradients", "Module", "UnavailableError"),
    "convcheck.plugin.function_backend": ("SignatureError", "capabilities"),
    "convcheck.plugin.own_words": ("ScriptCall", "torch_script_lines"),
    "convcheck.plugin.reference_backend": ("ReferenceBackend",),
    "convcheck.plugin.registry": ("load", "register"),
    "convcheck.plugin.registry_errors": ("RegistryError",),
    "convcheck.plugin.torch_bridge": ("differentiate", "differentiate_twice", "from_torch", "to_torch"),
    "convcheck.strategies": ("strategies",),
    "convcheck.suite.parametrizing": ("parametrize_with_checks",),
    "convcheck_reference.errors": ("ConvcheckError",),
    "convcheck_reference.formats": ("Format",),
    "convcheck_reference.params": ("Conv2dParams",),
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public
    __getattr__ = lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
