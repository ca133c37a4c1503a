import numpy as np
import pytest

from convcheck.numerics.aggregate_error import EXPONENT, Part, aggregate


def test_independent_errors_are_as_large_as_their_squares_and_not_much_more():
    squares = np.full(10_000, 4.0)
    found = aggregate([Part(squares, 1)], np.zeros(10_000))
    assert found.judged == 10_000
    assert (found.scale == 2.0).all()
    t = EXPONENT / 10_000
    assert found.most == pytest.approx(np.sqrt(1 + 2 * np.sqrt(t) + 2 * t))
    signs = np.random.default_rng(0).choice([-2.0, 2.0], 10_000)
    assert found.share(signs) == pytest.approx(1 / found.most)
    assert found.share(1.2 * signs) > 1


@pytest.mark.parametrize("shared", [1, 5, 40])
def test_no_draw_of_signs_exceeds_what_is_legal(shared):
    rng = np.random.default_rng(shared)
    # 200 elements of 30 products each; every sign takes part in so many elements
    count = 200 * 30 // shared
    coefficients = np.zeros((200, count))
    for sign in range(count):
        coefficients[rng.choice(200, shared, replace=False), sign] = rng.exponential(size=shared)
    found = aggregate([Part((coefficients**2).sum(axis=1), shared)], np.zeros(200))
    shares = [found.share(coefficients @ rng.choice([-1.0, 1.0], count)) for _ in range(300)]
    assert max(shares) < 1
    assert np.median(shares) > 0.2


def test_one_cause_of_everything_leaves_room_for_itself():
    found = aggregate([Part(np.ones(50), 50)], np.zeros(50))
    # one sign: all elements err by as much as λ times its factor
    assert found.share(np.full(50, 1.0)) < 0.13
    assert found.share(np.full(50, 9.0)) > 1


def test_parts_of_one_element_add_up_as_squares_and_certain_errors_as_they_are():
    parts = [Part(np.full(100, 9.0), 1), Part(np.full(100, 16.0), 2)]
    assert (aggregate(parts, np.zeros(100)).scale == 5.0).all()
    certain = aggregate([Part(np.zeros(100), 1)], np.full(100, 3.0))
    assert certain.most == 1.0
    assert certain.share(np.full(100, 3.0)) == 1.0
    both = aggregate(parts, np.full(100, 12.0))
    assert (both.scale == 13.0).all()
    assert both.most > 12 / 13 + 5 / 13


def test_elements_without_a_bound_are_not_judged_and_without_any_there_is_nothing_to_say():
    certain = np.array([0.0, np.inf, 0.0])
    found = aggregate([Part(np.array([1.0, 1.0, 0.0]), 1)], certain)
    assert found.judged == 1
    assert found.share(np.array([0.5, 100.0, 0.0])) == pytest.approx(0.5 / found.most)
    assert found.ratios(np.array([0.5, np.inf, 0.0])).tolist() == [0.5, 0, 0]
    assert aggregate([Part(np.ones(2), 1)], np.full(2, np.inf)) is None
