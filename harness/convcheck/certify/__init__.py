"""Certifying the harness itself: which wrong convolutions it detects, and whether it leaves right ones alone."""

from convcheck.certify.campaign import Budget, certify
from convcheck.certify.certificate import CONVCHECK, Acquittal, Certificate, Detection
from convcheck.certify.variants import VARIANTS, Variant

__all__ = ["CONVCHECK", "VARIANTS", "Acquittal", "Budget", "Certificate", "Detection", "Variant", "certify"]
