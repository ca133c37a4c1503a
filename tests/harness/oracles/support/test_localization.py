import numpy as np
import pytest

from convcheck.oracles.support.localization import locate


def mask(shape, *where):
    wrong = np.zeros(shape, np.bool_)
    for at in where:
        wrong[at] = True
    return wrong


S = np.s_


@pytest.mark.parametrize(
    ("shape", "where", "words"),
    [
        ((2, 4, 5, 6), [S[...]], "everywhere"),
        ((2, 4, 5, 6), [S[..., -1]], "the last column"),
        ((2, 4, 5, 9), [S[..., 8:]], "the last column (after the last multiple of 8)"),
        ((2, 4, 5, 7), [S[..., 4:]], "columns 4–6, the last 3 (after the last multiple of 4)"),
        ((2, 4, 5, 6), [S[1]], "the last image"),
        ((3, 4, 5, 6), [S[1]], "image 1"),
        ((1, 24, 3, 3), [S[:, 8:16]], "channels 8–15 (the second block of 8)"),
        ((1, 4, 5, 6), [S[..., 1::2]], "the odd columns"),
        ((1, 4, 5, 9), [S[..., ::3]], "every 3rd column from 0"),
        ((1, 4, 5, 6), [S[..., 0, :], S[..., -1, :], S[..., :, 0], S[..., :, -1]], "the border"),
        ((1, 1, 7, 7), [S[..., :2, :], S[..., -2:, :], S[..., :, :2], S[..., :, -2:]], "a border 2 wide"),
        ((1, 4, 5, 6), [S[..., 0, 0], S[..., -1, -1], S[..., 0, -1], S[..., -1, 0]], "the corners"),
        ((1, 4, 5, 6), [S[..., 0], S[..., -1]], "the first and the last column"),
        ((6,), [S[4:]], "channels 4–5, the last 2 (after the last multiple of 4)"),
        ((1, 1, 3, 3), [S[..., 0, 1], S[..., 1, 2], S[..., 2, 0]], "scattered: 3 of 9 elements"),
    ],
)
def test_words(shape, where, words):
    wrong = mask(shape, *where)
    found = locate(wrong, np.ones(shape, np.bool_))
    assert found == words or found.startswith(f"{words} (")


def test_what_was_not_judged_does_not_count():
    judged = mask((1, 1, 4, 4), S[..., :2])
    assert locate(mask((1, 1, 4, 4), S[..., :2]), judged) == "everywhere"


def test_positions_that_have_a_name_are_called_by_it():
    words = locate(mask((1, 8, 2, 2), S[:, 2:4]), np.ones((1, 8, 2, 2), np.bool_), {1: {"group 2 of 4": range(2, 4)}})
    assert words.startswith("group 2 of 4")
