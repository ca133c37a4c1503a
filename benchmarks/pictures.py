"""Pictures of what was measured."""

import matplotlib as mpl
from matplotlib.figure import Figure


def draw_lines(lines, path, *, marker="", **axes_settings):
    """Lines over a logarithmic axis, as SVG.

    Args:
        lines: by label, the points of each.
        path: of the file.
        marker: of each point, as Matplotlib has them.
        axes_settings: labels and limits of the axes.
    """
    # the same figures give the same bytes
    with mpl.rc_context({"svg.hashsalt": "convcheck", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 3.5), layout="constrained")
        axes = figure.add_subplot()
        for label, points in lines.items():
            axes.plot(*zip(*points, strict=True), marker=marker, label=label)
        axes.set(xscale="log", **axes_settings)
        axes.legend()
        figure.savefig(path, metadata={"Date": None, "Creator": "convcheck"})
