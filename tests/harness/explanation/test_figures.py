import pytest

from convcheck.explanation.figures import Wrong, figures
from convcheck_reference import Conv2dParams


@pytest.mark.parametrize(
    ("params", "size", "captions"),
    [
        (Conv2dParams(1, 1, 3), (5, 5), ["Image of 5 × 5, not padded; blue", "Output of 3 × 3"]),
        (Conv2dParams(2, 2, 3, padding=1, groups=2), (5, 5), ["grey: padded to 7 × 7 (zeros)", "Output", "2 groups, each"]),
        (Conv2dParams(1, 1, 3, dilation=2), (224, 224), ["3 of 5 × 3 of 5; dashed", "enlarged: 3 × 3 taps on 5 × 5", "Output"]),
        (Conv2dParams(1, 1, 255), (1000, 1000), ["Image of 1000 × 1000", "Output of 746 × 746"]),
        (Conv2dParams(1, 1, 1), (1, 1_000_000), ["not to one scale", "enlarged: 1 × 1 taps", "Output"]),
    ],
)  # fmt: skip
def test_a_layer_is_explained_by_pictures_with_what_they_show(params, size, captions):
    found = figures(params, size)
    assert len(found) == len(captions)
    assert all(words in figure.caption for words, figure in zip(captions, found, strict=True))


def test_a_failing_case_shows_one_window_and_what_is_wrong():
    image, output = figures(Conv2dParams(1, 1, 3), (5, 5), Wrong(output=((1, 2),)))
    assert "window of output (1, 2)" in image.caption
    assert "window other" not in image.svg
    assert output.svg.count('class="wrong"') == 1
