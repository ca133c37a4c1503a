import pytest

from convcheck.execution.codec import decode, encode
from convcheck.execution.messages import TO_JUDGE
from convcheck.model.profiles import PROFILES, Algorithm, Profile
from convcheck_reference.formats import FLOAT32


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_a_profile_crosses_to_another_process_as_it_is(profile):
    header, _ = encode(profile)
    read = decode(header, bytearray(), TO_JUDGE)
    assert read == profile
    assert read.algorithm is profile.algorithm


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(ValueError, match="strassen"):
        Profile("strassen", FLOAT32, algorithm="strassen")


def test_integers_are_exact_in_any_order_for_direct_sums_only():
    assert {p.algorithm for p in PROFILES.values() if p.exact_integers} == {Algorithm.DIRECT}
