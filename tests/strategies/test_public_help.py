"""`help()` is enough to use the samplers, labels and the audit."""

import inspect

import pytest

import strategies
from strategies import AuditFinding

PUBLIC = [
    strategies.ClassBalancedSampler,
    strategies.WeightedSampler,
    strategies.SentenceSampler,
    strategies.RepeatFactorSampler,
    strategies.IndexSampler,
    strategies.IndexSampler.batches,
    strategies.IndexSampler.load_state_dict,
    strategies.Labels,
    strategies.Labels.of,
    strategies.Labels.packed,
    strategies.Labels.rectangular,
    strategies.ClassCounts,
    strategies.ClassCounts.of,
    strategies.ClassCounts.from_counts,
    strategies.ClassCounts.effective_number,
    strategies.audit,
    strategies.Audit,
    AuditFinding,
    strategies.effective_sample_size,
]


def described_parameters(documented):
    """The names in the numpydoc section "Parameters"."""
    section = inspect.getdoc(documented).split("Parameters\n----------\n")[1]
    section = section.split("\n----")[0]
    heads = [line for line in section.splitlines() if line and not line.startswith(" ")]
    return {name.strip() for head in heads for name in head.split(":")[0].split(",")}


@pytest.mark.parametrize("documented", PUBLIC, ids=lambda documented: documented.__qualname__)
def test_every_parameter_is_described(documented):
    parameters = set(inspect.signature(documented).parameters) - {"self"}
    assert parameters <= described_parameters(documented)


@pytest.mark.parametrize("sampler", PUBLIC[:4], ids=lambda sampler: sampler.__name__)
def test_a_sampler_shows_how_it_is_used_and_what_it_refuses(sampler):
    text = inspect.getdoc(sampler)
    assert all(f"\n{section}\n" in text for section in ("Parameters", "Raises", "See Also", "Examples"))
    assert ">>> " in text


def test_class_balanced_sampler_shows_every_way_to_use_it():
    text = inspect.getdoc(strategies.ClassBalancedSampler)
    for needed in (
        "DataLoader(data",
        ".batches(32)",
        "torch.distributed",
        "num_replicas=2, rank=rank",
        "load_state_dict",
    ):
        assert needed in text
