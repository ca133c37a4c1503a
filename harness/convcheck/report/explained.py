"""An explanation of a layer as text and as one self-contained page."""

from __future__ import annotations

from convcheck.explanation.explaining import Explanation
from convcheck.explanation.figures import Figure, figures
from convcheck.explanation.geometry import Geometry, example_size
from convcheck.explanation.plain_text import drawing
from convcheck.explanation.reading import Typed
from convcheck.report.tables import definitions, one_line, printable, wrapped
from convcheck.report.templating import environment
from convcheck_reference.params import Conv2dParams, Pair, Shape


def explained_text(typed: Typed, found: Explanation, input_shape: Shape | None) -> str:
    """The layer, a picture of what it reads, and what there is to say, in lines of at most 100 characters."""
    parts = [wrapped(one_line(_title(found, input_shape), "text"), "text")]
    if geometry := _geometry(typed, found, input_shape):
        parts.append(_example(input_shape) + drawing(geometry))
    if found.meaning:
        parts.append(definitions(list(found.meaning.items()), "text"))
    return "\n\n".join([*parts, wrapped(one_line(_verdict(typed, found), "text"), "text")])


def explained_html(typed: Typed, found: Explanation, input_shape: Shape | None) -> str:
    """The same as a page, which fetches nothing and runs nothing."""
    page = (
        environment()
        .get_template("explained.html.j2")
        .render(
            found=found,
            title=_title(found, input_shape),
            verdict=_verdict(typed, found),
            legal=found.legal and not typed.violation,
            example=_example(input_shape).strip(),
            figures=_figures(typed, found, input_shape),
        )
    )
    return printable(page)


def _title(found: Explanation, input_shape: Shape | None) -> str:
    return found.layer if input_shape is None else f"{found.layer} on {input_shape}"


def _verdict(typed: Typed, found: Explanation) -> str:
    error = found.error or typed.violation
    return f"illegal: {error}" if error else "legal"


def _example(input_shape: Shape | None) -> str:
    return "" if input_shape else "On a small image, since no --input is given:\n\n"


def _size(typed: Typed, found: Explanation, input_shape: Shape | None) -> tuple[Conv2dParams, Pair] | None:
    """The layer and the size of the image that it is drawn on; None for what is illegal."""
    if not found.legal:
        return None
    params = Conv2dParams.of(typed.arguments)
    return params, (input_shape[-2], input_shape[-1]) if input_shape else example_size(params)


def _geometry(typed: Typed, found: Explanation, input_shape: Shape | None) -> Geometry | None:
    drawn = _size(typed, found, input_shape)
    return Geometry.of(*drawn) if drawn else None


def _figures(typed: Typed, found: Explanation, input_shape: Shape | None) -> tuple[Figure, ...]:
    drawn = _size(typed, found, input_shape)
    return figures(*drawn) if drawn else ()
