"""Certifying the harness itself: which wrong convolutions it detects, and whether it leaves right ones alone."""

from typing import TYPE_CHECKING, Final

from convcheck_reference.lazy import lazily

if TYPE_CHECKING:
    from convcheck.evaluation.certificate import CONVCHECK, Certificate, Detection, FalseAlarmCheck
    from convcheck.evaluation.certification import Budget, certify
    from convcheck.evaluation.variants import VARIANTS, Variant

__all__ = ["CONVCHECK", "VARIANTS", "Budget", "Certificate", "Detection", "FalseAlarmCheck", "Variant", "certify"]

_HOMES: Final = {
    "convcheck.evaluation.certificate": ("CONVCHECK", "Certificate", "Detection", "FalseAlarmCheck"),
    "convcheck.evaluation.certification": ("Budget", "certify"),
    "convcheck.evaluation.variants": ("VARIANTS", "Variant"),
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public
    __getattr__ = lazily(__name__, _HOMES)
