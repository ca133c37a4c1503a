import numpy as np
import pytest

from convcheck import Capabilities, Case
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import Channels, Plan, spell
from convcheck.strategies.parameter_model import Space, axis_classes, channel_classes
from convcheck.strategies.tables import axes, axis, channels

SPACE = Space.of(Capabilities())
PADDINGS = list(axes(SPACE))


@pytest.mark.parametrize("padding", PADDINGS, ids="{0[0]} {0[1]}".format)
def test_every_axis_is_legal_and_in_its_classes(padding):
    spelled, mode = padding
    for classes, rows in axes(SPACE)[padding].items():
        first, last = axis(rows, 0), axis(rows, -1)
        for each in (first, last):
            case = Case(*spell(from_key("0"), Plan(each, each, Channels(1, 1, 1), padding=spelled, mode=mode)))
            assert case.violation is None, case.token
            pads = case.params.padding[0]
            found = axis_classes(each.size, each.kernel, each.stride, each.dilation, *pads)
            assert tuple(map(int, found)) == classes


def test_the_cheapest_axes_come_first():
    for rows in axes(SPACE)["", "zeros"].values():
        size, kernel, stride, padding, dilation = rows.T
        outputs = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        assert (np.diff(kernel * outputs) >= 0).all()


def test_channels_are_in_their_classes_the_fewest_products_first():
    for classes, some in channels(SPACE).items():
        assert all(tuple(map(int, channel_classes(c.groups, c.inputs, c.outputs))) == classes for c in some)
        products = [c.inputs // c.groups * c.outputs for c in some]
        assert products == sorted(products)


def test_what_is_not_declared_is_in_no_table():
    space = Space.of(Capabilities(groups=False, dilation=False, string_padding=False, padding_modes=("reflect",)))
    assert list(axes(space)) == [("", "reflect")]
    assert all((rows[:, 4] == 1).all() for rows in axes(space)["", "reflect"].values())
    assert {c.groups for some in channels(space).values() for c in some} == {1}
