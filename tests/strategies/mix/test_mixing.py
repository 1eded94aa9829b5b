import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from strategies import IGNORED, ClassCounts, Labels, NotationError, get

COUNTS = ClassCounts.of([0] * 90 + [1] * 30 + [2] * 29 + [3] * 1)
MIXES = ["mixup", "remix"]


def of(seed):
    return torch.Generator().manual_seed(seed)


def batch(seed, items=64, positions=3):
    generator = of(seed)
    targets = torch.randint(4, (items, positions), generator=generator)
    return targets.masked_fill(torch.rand(items, positions, generator=generator) < 0.2, IGNORED)


def lambdas(strategy, draws):
    generator = of(0)
    targets = torch.zeros(2, 1, dtype=torch.int64)
    return np.array([strategy.mix(targets, COUNTS, generator=generator).lambda_x[0].item() for _ in range(draws)])


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("name", MIXES)
def test_lambda_is_beta_distributed(name, alpha):
    drawn = lambdas(get(name, alpha=alpha), 1500)
    assert stats.kstest(drawn, stats.beta(alpha, alpha).cdf).pvalue > 1e-3
    assert stats.kstest(drawn, stats.beta(2 * alpha, alpha).cdf).pvalue < 1e-6


@given(st.integers(0, 10_000))
def test_mixup_gives_targets_the_shares_of_the_inputs_and_partners_by_a_permutation(seed):
    mixed = get("mixup").mix(batch(seed), COUNTS, generator=of(seed))
    assert sorted(mixed.partner.tolist()) == list(range(64))
    assert mixed.partner.dtype == torch.int64
    assert mixed.lambda_x.shape == (64,)
    assert len(mixed.lambda_x.unique()) == 1
    assert torch.equal(mixed.lambda_y, mixed.lambda_x.unsqueeze(1).expand(64, 3))


def published_remix(share, n_i, n_j, kappa, tau):
    """Equation 6 of the paper, one pair at a time."""
    if n_i / n_j >= kappa and share < tau:
        return 0.0
    if n_i / n_j <= 1 / kappa and 1 - share < tau:
        return 1.0
    return share


@given(st.integers(0, 10_000), st.sampled_from([(3.0, 0.5), (1.1, 0.9), (30.0, 0.2)]))
def test_remix_is_its_formula_at_every_position(seed, parameters):
    kappa, tau = parameters
    targets = batch(seed)
    mixed = get("remix", kappa=kappa, tau=tau).mix(targets, COUNTS, generator=of(seed))
    for i, row in enumerate(targets.tolist()):
        for p, mine in enumerate(row):
            share, theirs = mixed.lambda_x[i].item(), int(targets[mixed.partner[i], p])
            expected = share
            if mine != IGNORED and theirs != IGNORED:
                expected = published_remix(share, int(COUNTS.values[mine]), int(COUNTS.values[theirs]), kappa, tau)
            assert mixed.lambda_y[i, p].item() == expected


def test_remix_of_a_known_pair():
    # 90 against 30 is a ratio of 3, which counts; 30 against 29 is none; 30 against 1 turns the other way.
    targets = torch.tensor([[0, 1, 3], [1, 2, 1]])
    for seed in range(40):
        mixed = get("remix").mix(targets, COUNTS, generator=of(seed))
        share = mixed.lambda_x[0].item()
        if mixed.partner.tolist() == [1, 0] and share < 0.5:
            assert mixed.lambda_y[0].tolist() == [0.0, share, share]
            assert mixed.lambda_y[1].tolist() == [share, share, 0.0]
            break
    else:
        pytest.fail("no seed gave the pair")


def test_with_kappa_out_of_reach_or_no_tau_remix_is_mixup():
    targets = batch(3)
    plain = get("mixup").mix(targets, COUNTS, generator=of(3))
    for strategy in (get("remix", kappa=1e9), get("remix", tau=0.0)):
        mixed = strategy.mix(targets, COUNTS, generator=of(3))
        assert torch.equal(mixed.partner, plain.partner)
        assert torch.equal(mixed.lambda_y, plain.lambda_y)


@pytest.mark.parametrize("name", MIXES)
def test_padding_changes_no_number_and_random_numbers_depend_on_the_items_only(name):
    targets, generators = batch(5), [of(5), of(5), of(5)]
    padded = torch.cat([targets, torch.full((64, 7), IGNORED)], 1)
    without, with_padding = (
        get(name).mix(each, COUNTS, generator=own) for each, own in zip((targets, padded), generators, strict=False)
    )
    assert torch.equal(without.partner, with_padding.partner)
    assert torch.equal(without.lambda_x, with_padding.lambda_x)
    assert torch.equal(without.lambda_y, with_padding.lambda_y[:, :3])
    assert torch.equal(with_padding.lambda_y[:, 3:], with_padding.lambda_x.unsqueeze(1).expand(64, 7))
    get("mixup", alpha=0.1).mix(batch(6, positions=1), COUNTS, generator=generators[2])
    assert torch.equal(generators[0].get_state(), generators[1].get_state())
    assert torch.equal(generators[0].get_state(), generators[2].get_state())


@pytest.mark.parametrize("name", MIXES)
def test_global_random_numbers_are_not_touched(name):
    before = torch.get_rng_state()
    get(name).mix(batch(0), COUNTS, generator=of(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_class_that_was_counted_nowhere_is_no_accident():
    counts = ClassCounts(torch.tensor([0, 0, 0, 90]), ("a", "b", "c", "d"))
    for seed in range(10):
        mixed = get("remix").mix(torch.tensor([[0], [1]]), counts, generator=of(seed))
        assert torch.equal(mixed.lambda_y, mixed.lambda_x.unsqueeze(1))


def test_mixup_keeps_the_prior_of_the_sampled_items_and_remix_declares_no_prior():
    labels = Labels.of([0] * 90 + [1] * 10)
    prior = (get("mixup") + get("weighted-random-sampler")).effective_prior(labels, labels.counts())
    assert prior.tolist() == pytest.approx([0.5, 0.5])
    assert get("mixup").effective_prior(labels, labels.counts()).tolist() == pytest.approx([0.9, 0.1])
    assert get("remix").effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("text", ["mixup(alpha=0)", "remix(alpha=-1)", "remix(kappa=1)", "remix(tau=1.5)"])
def test_hyper_parameters_that_make_no_sense_are_refused(text):
    import strategies

    with pytest.raises(NotationError, match="given: "):
        strategies.parse(text)
