"""A certificate as tables, and as a plot."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from io import StringIO
from pathlib import Path

import numpy as np

from convcheck.defects import Category
from convcheck.evaluation.certificate import CONVCHECK, Certificate, Detection, quantile
from convcheck.report.tables import Style, table
from convcheck_reference.errors import ConvcheckError


class PlotUnavailableError(ConvcheckError, RuntimeError):
    """Matplotlib is not installed."""


def tables(certificate: Certificate, style: Style) -> str:
    """Every table, each under its heading."""
    sections = (
        ("Defects detected, by category", _by_category(certificate, style)),
        ("Methods compared", _by_method(certificate, style)),
        ("Defects not detected", _missed(certificate, style)),
        ("Legal variants", _variants(certificate, style)),
        ("Every defect", _defects(certificate, style)),
    )
    mark = "## " if style == "markdown" else ""
    shown = [f"{mark}{heading}\n\n{body}\n" for heading, body in sections if body]
    return "\n".join([*shown, _conclusion(certificate), ""])


def write(certificate: Certificate, folder: Path) -> tuple[Path, ...]:
    """Write certificate.md, .txt and .jsonl, and the plot if it can be drawn; returns what was written.

    Args:
        certificate: to write.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "certificate.md": f"# Certificate\n\n{tables(certificate, 'markdown')}",
        "certificate.txt": tables(certificate, "text"),
        "certificate.jsonl": certificate.json_lines(),
    }
    with suppress(PlotUnavailableError):
        contents["certificate.svg"] = plot(certificate)
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in contents)


def plot(certificate: Certificate) -> str:
    """The share of defects detected against the number of cases, one line a method: a self-contained SVG.

    Raises:
        PlotUnavailableError: Matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415  (an optional extra)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise PlotUnavailableError(
            "the plot needs Matplotlib; install the extra: pip install convcheck[plot]"
        ) from error
    # the same certificate gives the same bytes
    with mpl.rc_context({"svg.hashsalt": "convcheck", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for method in certificate.methods:
            cases, share = curve(certificate.by(method), certificate.examples)
            axes.step(cases, share, where="post", label=method, linewidth=2.5 if method == CONVCHECK else 1.2)
        axes.set(xscale="log", xlabel="cases", ylabel="defects detected, %", ylim=(0, 101))
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize="small")
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "convcheck"})
    return text.getvalue()


def curve(detections: Iterable[Detection], examples: int) -> tuple[list[int], list[float]]:
    """Steps of the cumulative share of defects detected, in percent, from case 1 to the budget."""
    rows = list(detections)
    found = np.array(sorted(d.detected_at for d in rows if d.detected_at is not None), dtype=int)
    steps = sorted({1, *found.tolist(), max(1, examples)})
    return steps, [100.0 * int((found <= step).sum()) / len(rows) for step in steps]


def _by_category(certificate: Certificate, style: Style) -> str:
    if not certificate.detections:
        return ""
    shown: list[tuple[str, tuple[Detection, ...]]] = [
        (str(c), certificate.by(CONVCHECK, c)) for c in Category if certificate.by(CONVCHECK, c)
    ]
    shown.append(("all", certificate.by(CONVCHECK)))
    rows = [[name, _detected(rows), *_cases(rows)] for name, rows in shown]
    return table(["category", "detected", "cases: median", "90th percentile"], rows, style)


def _by_method(certificate: Certificate, style: Style) -> str:
    categories = [c for c in Category if certificate.by(CONVCHECK, c)]
    rows = [
        [method, _detected(certificate.by(method)), *(_detected(certificate.by(method, c)) for c in categories)]
        for method in certificate.methods
    ]
    return table(["method", "all", *categories], rows, style) if rows else ""


def _missed(certificate: Certificate, style: Style) -> str:
    rows = [[d.category, d.defect] for d in certificate.missed]
    return table(["category", "defect"], rows, style) if rows else ""


def _variants(certificate: Certificate, style: Style) -> str:
    rows = [[a.variant, a.cases, a.alarms, a.token, a.reason] for a in certificate.false_alarm_checks]
    headers = ["variant", "cases", "false alarms", "first", "reason"]
    return table(headers, rows, style) if rows else ""


def _defects(certificate: Certificate, style: Style) -> str:
    rows = [
        [d.category, d.defect, "missed" if d.detected_at is None else d.detected_at, d.oracle, d.clause, d.token]
        for d in certificate.by(CONVCHECK)
    ]
    return table(["category", "defect", "case", "oracle", "clause", "token"], rows, style) if rows else ""


def _conclusion(certificate: Certificate) -> str:
    ours = certificate.by(CONVCHECK)
    judged = sum(a.cases for a in certificate.false_alarm_checks)
    return (
        f"{len(ours) - len(certificate.missed)} of {len(ours)} defects detected within {certificate.examples} cases; "
        f"{certificate.false_alarms} false alarms in {judged} cases "
        f"of {len(certificate.false_alarm_checks)} legal variants; "
        f"seed {certificate.seed}."
    )


def _detected(detections: tuple[Detection, ...]) -> str:
    return f"{sum(d.detected_at is not None for d in detections)}/{len(detections)}"


def _cases(detections: tuple[Detection, ...]) -> tuple[object, object]:
    """Median and 90th percentile of the cases to detection, missed defects counted as never."""
    median, most = quantile(detections, 0.5), quantile(detections, 0.9)
    return median or "never", most or "never"
