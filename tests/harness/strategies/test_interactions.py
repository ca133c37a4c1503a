from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.strategies.interactions import interactions
from convcheck.strategies.parameter_model import classify

PLAIN = Capabilities(groups=False, dilation=False, string_padding=False, padding_modes=("zeros",))
TAKEN = [classify(read(f"v1,x=1x2x5x5,out=2,k={k}")) for k in (1, 2, 3)]


def test_pairs_and_triples_are_two_rows():
    pairs, triples = interactions(TAKEN, PLAIN)
    assert (pairs.parameter, triples.parameter) == ("2-way", "3-way")
    assert " of " in pairs.value


def test_the_cases_are_counted_and_no_case_covers_nothing():
    assert {row.cases for row in interactions(TAKEN, PLAIN)} == {3}
    assert [row.value[:5] for row in interactions([], PLAIN)] == ["0.00%", "0.00%"]


def test_only_what_the_backend_supports_can_be_covered():
    def feasible(capabilities, dtypes=None):
        return int(interactions([], capabilities, dtypes)[0].value.split()[-1].strip(")").replace(",", ""))

    both = Capabilities(dtypes=("float32", "float64"), groups=False, dilation=False, string_padding=False)
    assert feasible(PLAIN) < feasible(both, ("float32",)) < feasible(both)
