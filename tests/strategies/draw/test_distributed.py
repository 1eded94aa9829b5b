"""The place of a process among others is resolved once, for samplers and for the audit."""

import pytest
import torch
from torch import distributed

from strategies import ClassBalancedSampler, audit
from strategies.draw.process_rank import resolve_place


@pytest.fixture
def process_group(monkeypatch):
    """Rank 1 of 2."""
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)


def test_a_single_process_is_rank_0_and_the_rank_of_one_of_several_is_unknown():
    assert resolve_place(None, None) == (1, 0)
    assert resolve_place(3, None) == (3, None)
    assert resolve_place(3, 2) == (3, 2)


@pytest.mark.usefixtures("process_group")
def test_the_process_group_gives_what_is_not_given():
    assert resolve_place(None, None) == (2, 1)
    assert resolve_place(4, None) == (4, 1)
    assert resolve_place(None, 0) == (2, 0)
    assert resolve_place(1, None) == (1, 0)  # every process samples whole epochs by itself


@pytest.mark.parametrize(
    ("num_replicas", "rank", "message"),
    [
        (0, None, "num_replicas must be a whole number of at least 1; given: 0"),
        (1.5, 0, "num_replicas must be a whole number of at least 1; given: 1.5"),
        (2, -1, "rank must be a whole number of at least 0; given: -1"),
        (2, 2, "rank must be a whole number from 0 to num_replicas - 1; given: rank=2, num_replicas=2"),
        (None, 1, "rank=1, num_replicas=1"),
    ],
)
def test_samplers_and_audit_refuse_the_same(num_replicas, rank, message):
    labels = torch.tensor([0, 0, 1])
    sampler = ClassBalancedSampler(labels)
    calls = [lambda **place: ClassBalancedSampler(labels, **place), lambda **place: audit(sampler, labels, **place)]
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call(num_replicas=num_replicas, rank=rank)


def test_a_sampler_for_several_processes_needs_a_rank():
    with pytest.raises(ValueError, match=r"rank is needed with num_replicas=2.*give rank=0 to the first process"):
        ClassBalancedSampler([0, 0, 1], num_replicas=2)
