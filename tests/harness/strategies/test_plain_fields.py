import pytest

from convcheck.strategies.plain_fields import FIELDS, GENERATED, HIGHEST, amount, digits, in_digits


@pytest.mark.parametrize(("quantity", "value"), [("seed", 2**32 - 1), ("seed", 7), ("batch", 999), ("bias", 1)])
def test_digits_give_the_quantity_again(quantity, value):
    numbers = in_digits({quantity: value})
    assert tuple(sorted(numbers, key=FIELDS.index)) == digits(quantity)
    assert max(numbers.values()) <= 99
    assert amount(numbers, quantity) == value


def test_the_highest_digit_comes_first():
    assert in_digits({"seed": 102}) == {"seed_4": 0, "seed_3": 0, "seed_2": 0, "seed_1": 1, "seed": 2}
    assert digits("seed") == ("seed_4", "seed_3", "seed_2", "seed_1", "seed")


def test_what_is_too_large_for_its_digits_does_not_come_back():
    assert amount(in_digits({"kernel_h": 149}), "kernel_h") != 149


def test_all_bounds_are_of_fields():
    assert set(GENERATED) | set(HIGHEST) <= set(FIELDS)
    assert len(set(FIELDS)) == len(FIELDS)
