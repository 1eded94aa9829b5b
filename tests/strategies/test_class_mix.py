import pytest
import torch

from strategies import Labels
from strategies.class_mix import corrects_twice, expected_mix, favours_rare, log_slope, normalise, power_shares

NATURAL = torch.tensor([0.8, 0.15, 0.05, 0.0], dtype=torch.float64)


def power_of(shares, power):
    return torch.where(shares > 0, shares**power, 0.0)


@pytest.mark.parametrize("power", [1.0, 0.5, 0.0, -1.0])
def test_the_log_slope_is_the_power_of_the_shares(power):
    assert log_slope(normalise(power_of(NATURAL, power)), NATURAL) == pytest.approx(power, abs=1e-12)


def test_equal_shares_have_no_slope_and_factors_of_them_are_no_correction():
    even = torch.full((4,), 0.25)
    assert log_slope(torch.tensor([1.0, 2.0, 3.0, 4.0]), even) is None
    assert not favours_rare(torch.tensor([1.0, 2.0, 3.0, 4.0]), even)
    assert not corrects_twice(even, [1 / even, 1 / even])


def test_power_shares_overflow_for_no_count_and_no_power():
    counts = torch.tensor([10**12, 10, 0])
    for power in (400.0, -400.0, 0.0):
        shares = power_shares(counts, power)
        assert shares.isfinite().all()
        assert shares.max() == 1
        assert shares[2] == 0


def test_the_expected_mix_counts_all_labels_of_an_item():
    labels = Labels.packed([[0, 0], [1, 0], [-100, 2]], ("a", "b", "c"))
    assert expected_mix(labels).tolist() == pytest.approx([3 / 5, 1 / 5, 1 / 5])
    assert expected_mix(labels, torch.tensor([0.0, 1.0, 2.0])).tolist() == pytest.approx([1 / 4, 1 / 4, 2 / 4])


@pytest.mark.parametrize(
    ("powers", "twice"),
    [
        ((-1.0, -1.0), True),
        ((-1.0, -0.25), True),
        ((-0.7, -0.6), True),
        ((-0.5, -0.5), False),  # balanced exactly
        ((-0.6, -0.5), False),  # nearly balanced
        ((-2.0,), False),  # reversed, but by one remedy
        ((-2.0, 0.0), False),
        ((-1.5, -0.05), False),  # the second is too weak to be a correction
        ((-2.0, 1.0), False),
        ((-0.5, -0.5, -0.5), True),
    ],
)
def test_a_mix_is_corrected_twice_if_two_corrections_reverse_it(powers, twice):
    assert corrects_twice(NATURAL, [power_of(NATURAL, power) for power in powers]) == twice


def test_an_infinite_weight_of_an_empty_class_does_not_hide_a_double_correction():
    factors = 1 / NATURAL
    assert factors[3].isinf()
    assert corrects_twice(NATURAL, [factors, factors])
