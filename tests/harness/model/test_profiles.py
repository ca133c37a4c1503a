from dataclasses import fields

import pytest

from convcheck.execution.codec import decode, encode
from convcheck.execution.messages import TO_JUDGE
from convcheck.model.profiles import PROFILES, Algorithm, Profile
from convcheck_reference.formats import FLOAT16, FLOAT32


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_a_profile_crosses_to_another_process_as_it_is(profile):
    header, _ = encode(profile)
    read = decode(header, bytearray(), TO_JUDGE)
    assert read == profile
    assert read.algorithm is profile.algorithm


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(ValueError, match="strassen"):
        Profile(name="strassen", accumulator=FLOAT32, algorithm="strassen")


def test_integers_are_exact_in_any_order_for_direct_sums_only():
    assert {p.algorithm for p in PROFILES.values() if p.exact_integers} == {Algorithm.DIRECT}


def test_properties_combine_freely_and_names_stand_for_what_they_name():
    profile = Profile(accumulator="float16", flushes_subnormals=True, algorithm="winograd-f2", repeatable=False)
    assert (profile.accumulator, profile.algorithm) == (FLOAT16, Algorithm.WINOGRAD_F2)
    assert profile.name == "float16 sums, winograd-f2, subnormals flushed, not repeatable"


def test_a_format_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match="accumulator='float12' is no format; expected one of float64, float32"):
        Profile(accumulator="float12")


def test_a_name_is_no_promise():
    assert Profile(name="mine").promises_as(PROFILES["fp32-strict"])
    assert not Profile(name="mine").promises_as(PROFILES["tf32"])


SWITCHES = [field.name for field in fields(Profile) if field.type == "bool"]


@pytest.mark.parametrize("name", SWITCHES)
def test_every_property_shows_in_the_name(name):
    assert Profile(**{name: not getattr(Profile(), name)}).name != Profile().name
