"""Certifying the harness itself: which wrong convolutions it detects, and whether it leaves right ones alone."""

from convcheck.evaluation.certificate import CONVCHECK, Certificate, Detection, FalseAlarmCheck
from convcheck.evaluation.certification import Budget, certify
from convcheck.evaluation.variants import VARIANTS, Variant

__all__ = ["CONVCHECK", "VARIANTS", "Budget", "Certificate", "Detection", "FalseAlarmCheck", "Variant", "certify"]
