from collections import Counter
from itertools import count, groupby, islice, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.judging.blocks import BLOCK
from convcheck.judging.parts import (
    CYCLE,
    LAST_UNIT,
    MOST_HISTORIES,
    MOST_SEARCHED,
    MOST_STEPS,
    REACHED,
    REACHING,
    SANITIZED,
    SEARCHED,
    UNIT,
    Part,
    part_at,
    parts_of,
    reached,
)
from convcheck.model.ladder import Ladder
from convcheck.model.origins import Origin

ON_TOP = (Origin.HISTORY, Origin.LONG_HISTORY)
"""What comes on top of the cases."""


def parts(examples, remembered=0):
    return list(takewhile(bool, (part_at(index, examples, remembered) for index in count())))


@given(st.integers(1, 30_000))
def test_parts_hold_all_cases_and_a_share_of_them_is_searched(examples):
    made = parts(examples)
    assert sum(part.size for part in made if part.origin not in ON_TOP) == examples
    assert min(part.size for part in made) >= 1
    searched = sum(part.size for part in made if part.origin is Origin.SEARCHED)
    assert abs(searched - SEARCHED * examples) <= 0.5
    assert made == list(parts_of(examples))


@given(st.integers(1, 30_000))
def test_every_part_of_an_origin_has_a_number_of_its_own(examples):
    made = parts(examples)
    for origin in (Origin.SEARCHED, Origin.HISTORY):
        assert [p.number for p in made if p.origin is origin] == list(range(sum(p.origin is origin for p in made)))
    for origin in (Origin.DRAWN, Origin.REACH):
        numbers = [n for p in made if p.origin is origin for n in range(p.number, p.number + p.size)]
        assert numbers == list(range(len(numbers)))


@given(st.integers(1, 30_000))
def test_a_search_is_long_enough_to_climb_and_no_longer_than_a_process_should_be_busy(examples):
    most = {Origin.DRAWN: UNIT, Origin.REACH: REACHING, Origin.SEARCHED: MOST_SEARCHED, Origin.HISTORY: MOST_HISTORIES}
    most[Origin.LONG_HISTORY] = MOST_STEPS
    for part in parts(examples):
        assert part.size <= most[part.origin]
        assert part.origin is not Origin.DRAWN or part.number // BLOCK == (part.number + part.size - 1) // BLOCK
    searches = [p.size for p in parts(examples) if p.origin is Origin.SEARCHED]
    assert not searches or max(searches) - min(searches) <= 1


@pytest.mark.parametrize(("examples", "histories", "steps"), [(1, 1, 1), (300, 3, 30), (2000, 20, 200)])
def test_histories_come_on_top_of_the_cases(examples, histories, steps):
    made = parts(examples)
    assert sum(part.size for part in made if part.origin is Origin.HISTORY) == histories
    assert [part for part in made if part.origin is Origin.LONG_HISTORY] == [Part(Origin.LONG_HISTORY, 0, steps)]


def test_the_cases_that_tell_most_come_first_and_what_takes_long_is_begun_early():
    origins = [part.origin for part in parts(2000)]
    assert [origin for origin, _ in groupby(origins)] == [
        Origin.DRAWN,
        Origin.SEARCHED,
        Origin.LONG_HISTORY,
        Origin.HISTORY,
        Origin.REACH,
        Origin.DRAWN,
    ]
    assert origins.index(Origin.SEARCHED) == BLOCK // UNIT
    *small, last = parts(2000)[-12:]
    assert {part.size for part in small} == {LAST_UNIT}
    assert last.size <= LAST_UNIT


@pytest.mark.parametrize("ladder", Ladder)
@given(examples=st.integers(1, 30_000))
def test_a_share_of_the_cases_reaches_far(ladder, examples):
    made = list(takewhile(bool, (part_at(index, examples, ladder=ladder) for index in count())))
    far = sum(part.size for part in made if part.origin is Origin.REACH)
    assert far == reached(examples, ladder)
    assert abs(far - REACHED[ladder] * (examples if examples <= 1000 else 500 + examples / 2)) <= 0.5
    assert sum(part.size for part in made if part.origin not in ON_TOP) == examples


@pytest.mark.parametrize("ladder", Ladder)
def test_the_first_thousand_cases_take_every_far_layer_and_further_ones_half_as_many(ladder):
    assert reached(1000, ladder) == round(1000 * REACHED[ladder])
    assert reached(5000, ladder) == 3 * reached(1000, ladder)


def test_without_a_number_of_cases_there_is_always_another_part_and_none_comes_twice():
    made = list(islice((part_at(index, None) for index in count()), 600))
    assert len({(part.origin, part.number) for part in made}) == 600
    cycle = len(parts(CYCLE))
    assert sum(part.size for part in made[:cycle] if part.origin not in ON_TOP) == CYCLE


@pytest.mark.parametrize("examples", [100, None])
def test_what_failed_before_comes_before_everything(examples):
    assert part_at(0, examples, 7) == Part(Origin.REMEMBERED, 0, 7)
    assert part_at(1, examples, 7) == part_at(0, examples)


@given(st.integers(1, 30_000))
def test_under_a_sanitizer_each_drawn_part_has_a_share_that_is_run_again(examples):
    made = list(takewhile(bool, (part_at(index, examples, sanitized=True) for index in count())))
    drawn, again = ([p for p in made if p.origin is origin] for origin in (Origin.DRAWN, Origin.SANITIZED))
    sizes = Counter[int]()
    for part in drawn:
        sizes[part.number // BLOCK] += part.size
    assert {p.number: p.size for p in again} == {block: max(1, size // SANITIZED) for block, size in sizes.items()}
    assert [p for p in made if p not in again] == parts(examples)


@given(st.integers(0, 300), st.sampled_from([0, 60]), st.integers(0, 3))
def test_given_cases_come_first_and_others_as_they_would_without(given, examples, remembered):
    made = list(takewhile(bool, (part_at(index, examples, remembered, given=given) for index in count())))
    first = list(takewhile(lambda part: part.origin is Origin.GIVEN, made))
    assert sum(part.size for part in first) == given
    assert [part.number for part in first] == list(range(0, given, UNIT))
    assert made[len(first) :] == parts(examples, remembered)
