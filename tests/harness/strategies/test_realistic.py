import pytest

from convcheck import Case
from convcheck.model.ladder import Ladder
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import MEDIUM_BUDGET, spell
from convcheck.strategies.realistic import LAYERS, TURNS, as_published, published, realistic


def layer(network, **arguments):
    (found,) = [
        item
        for item in LAYERS
        if item.network == network and all(getattr(item.arguments, name) == v for name, v in arguments.items())
    ]
    return found


@pytest.mark.parametrize("item", LAYERS, ids=lambda item: f"{item.network} {item.arguments}")
def test_a_published_layer_takes_its_published_input(item):
    case = Case(item.arguments, (1, item.arguments.in_channels, *item.size))
    assert case.violation is None
    assert Case(*spell(from_key("0"), as_published(item))).params == case.params
    if item.network == "U-Net":
        assert case.output_shape[-1] == item.size[-1] - 2
    elif item.arguments.padding or item.arguments.kernel_size == item.arguments.stride:
        strides = case.params.stride
        assert case.output_shape[-2:] == tuple(-(-s // step) for s, step in zip(item.size, strides, strict=True))


@pytest.mark.parametrize(
    ("item", "weights"),
    [
        (layer("ResNet-50", kernel_size=7), 9_408),
        (layer("VGG-16", out_channels=512), 2_359_296),
        (layer("ViT-B/16"), 589_824),
        (layer("ConvNeXt-T", groups=96), 4_704),
    ],
)
def test_the_weights_are_as_many_as_published(item, weights):
    arguments = item.arguments
    assert arguments.out_channels * arguments.in_channels // arguments.groups * arguments.kernel_size**2 == weights


def test_a_scaled_layer_keeps_its_structure():
    square = [i for i in LAYERS if isinstance(i.arguments.kernel_size, int)]
    structures = {(i.arguments.kernel_size, i.arguments.stride, i.arguments.dilation) for i in square}
    found = set()
    for number in range(500):
        plan = realistic(from_key(str(number)), number % TURNS)
        case = Case(*spell(from_key(str(number)), plan))
        assert case.violation is None
        assert plan.cost <= MEDIUM_BUDGET
        structure = (plan.height.kernel, plan.height.stride, plan.height.dilation)
        assert structure == (plan.width.kernel, plan.width.stride, plan.width.dilation)
        found.add(structure)
        assert plan.channels.groups in (1, plan.channels.inputs)
    assert found == structures


def test_a_quick_ladder_has_no_published_layers_a_standard_one_those_that_fit_and_a_deep_one_all():
    assert published(Ladder.QUICK) == ()
    assert set(published(Ladder.STANDARD)) < set(published(Ladder.DEEP)) == set(LAYERS)
    networks = {item.network for item in published(Ladder.STANDARD)}
    assert networks == {item.network for item in LAYERS} - {"RepLKNet-31B"}


def test_images_are_cropped_to_any_shape():
    plans = [realistic(from_key(str(number)), number) for number in range(50)]
    assert any(plan.height.size != plan.width.size for plan in plans)


def test_each_structure_has_every_number_of_columns_left_over_by_vectors():
    found = {}
    for turn in range(TURNS):
        plan = realistic(from_key(str(turn)), turn)
        across = plan.width
        kernel = across.kernel, across.stride, across.padding, across.dilation
        found.setdefault(kernel, set()).add(across.output % 8)
    assert all(left_over == set(range(8)) for left_over in found.values())
