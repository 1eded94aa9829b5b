"""The law of all findings: apply the code that is printed, audit again, and the finding is gone, and no other has come."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler

import strategies
from strategies.loader_audit import check_weights
from strategies.loader_audit.audit import audit

COUNTS = (600, 200, 60, 40)
LABELS = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))[
    torch.randperm(900, generator=torch.Generator().manual_seed(7))
]
DATA = TensorDataset(torch.zeros(900, 3), LABELS)
CLASS_WEIGHTS = 1.0 / LABELS.bincount().double()
PART = torch.randperm(900, generator=torch.Generator().manual_seed(2))[:675]
SUBSET = Subset(DATA, PART.tolist())
SENTENCES = strategies.Labels.packed([[0, 0, 1], [0, 0, 0], [0, 2, 0, 0, 0], [0, 0]] * 60)


class Stream(IterableDataset):
    def __iter__(self) -> Any:
        yield from ((torch.zeros(3), int(label)) for label in LABELS)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def weighted(weights: Any, number: int = 900, replacement: bool = True) -> WeightedRandomSampler:
    return WeightedRandomSampler(weights, number, replacement, generator=seeded())


def balanced() -> WeightedRandomSampler:
    return weighted(CLASS_WEIGHTS[LABELS])


def load(sampler: Any = None, dataset: Any = DATA) -> DataLoader[Any]:
    return DataLoader(dataset, sampler=sampler, batch_size=32)


def shuffled() -> DataLoader[Any]:
    return DataLoader(DATA, shuffle=True, batch_size=32, generator=seeded())


def with_inf() -> torch.Tensor:
    return 1.0 / LABELS[LABELS != 3].bincount(minlength=4).double()


class Shard(BatchSampler):
    """As accelerate's."""

    def __init__(self, sampler: Any) -> None:
        self.batch_sampler, self.num_processes, self.process_index = BatchSampler(sampler, 32, False), 2, 1

    def __len__(self) -> int:
        return len(self.batch_sampler) // 2

    def __iter__(self) -> Any:
        return (batch for i, batch in enumerate(self.batch_sampler) if i % 2)


Shard.__name__ = "BatchSamplerShard"


def shard(sampler: Any) -> DataLoader[Any]:
    return DataLoader(DATA, batch_sampler=Shard(sampler))


TWO = {"num_replicas": 2, "rank": 1}
SHUFFLED_LABELS = LABELS.roll(1)
CASES: dict[str, dict[str, Any]] = {
    "weights-not-finite": {"loader": lambda: load(weighted(with_inf()[LABELS]))},
    "weights-not-finite, loss": {
        "loader": shuffled,
        "loss": nn.CrossEntropyLoss(weight=1.0 / LABELS.bincount(minlength=5)),
    },
    "weights-per-class": {"loader": lambda: load(weighted(CLASS_WEIGHTS))},
    "subset-against-parent": {"loader": lambda: load(weighted(CLASS_WEIGHTS[LABELS[PART]], 675))},
    "subset-against-parent, weights": {"loader": lambda: load(balanced(), SUBSET)},
    "subset-against-parent, own": {"loader": lambda: load(strategies.ClassBalancedSampler(LABELS, seed=0), SUBSET)},
    "subset-against-parent, indices": {"loader": lambda: load(PART.tolist(), SUBSET), "intended": "natural"},
    "weights-number": {"loader": lambda: load(weighted(CLASS_WEIGHTS[torch.cat([LABELS, LABELS[:5]])]))},
    "weights-number, own": {"loader": lambda: load(strategies.ClassBalancedSampler(torch.cat([LABELS, LABELS[:5]])))},
    "index-out-of-range": {"loader": lambda: load(range(905))},
    "weights-class-order": {"loader": lambda: load(weighted(CLASS_WEIGHTS.flip(0)[LABELS]))},
    "weights-class-order, loss": {
        "loader": shuffled,
        "loss": nn.CrossEntropyLoss(weight=CLASS_WEIGHTS.flip(0).float()),
    },
    "weights-class-order, alpha": {
        "loader": shuffled,
        "loss": type("Focal", (nn.Module,), {"alpha": CLASS_WEIGHTS.flip(0)})(),
    },
    "weights-item-order": {"loader": lambda: load(weighted(CLASS_WEIGHTS[LABELS.flip(0)]))},
    "replacement-false": {"loader": lambda: load(weighted(CLASS_WEIGHTS[LABELS], replacement=False))},
    "weights-precision": {"loader": lambda: load(weighted(CLASS_WEIGHTS[LABELS])), "precise": False},
    "validation-resampled": {"loader": lambda: load(balanced()), "role": "validation"},
    "sampler-dropped": {"loader": lambda: load(DistributedSampler(DATA, 2, 1))},
    "sampler-dropped, two processes": {"loader": lambda: load(DistributedSampler(DATA, 2, 1)), **TWO},
    "sampler-dropped, square root": {"loader": lambda: load(DistributedSampler(DATA, 2, 1)), "intended": 0.5},
    "sharded-twice": {
        "loader": lambda: shard(strategies.ClassBalancedSampler(LABELS, **TWO)),
        "rebuild": shard,
        **TWO,
    },
    "sharded-twice, natural": {
        "loader": lambda: shard(DistributedSampler(DATA, 2, 1)),
        "rebuild": shard,
        "intended": "natural",
        **TWO,
    },
    "sampler-repeated": {"loader": lambda: load(balanced()), **TWO},
    "sampler-repeated, natural": {"loader": shuffled, "intended": "natural", **TWO},
    "sampler-repeated, square root": {
        "loader": lambda: load(strategies.ClassBalancedSampler(LABELS, power=0.5, num_replicas=1, rank=0)),
        "intended": "square-root",
        **TWO,
    },
    "sampler-repeated, sentences": {
        "loader": lambda: strategies.SentenceSampler(SENTENCES, num_replicas=1, rank=0),
        "labels": SENTENCES,
        "rebuild": lambda sampler: sampler,
        **TWO,
    },
    "double-correction": {"loader": lambda: load(balanced()), "loss": nn.CrossEntropyLoss(CLASS_WEIGHTS.float())},
    "double-correction, strategy": {"loader": lambda: load(balanced()), "loss": strategies.get("logit-adjustment")},
    "double-correction, two processes": {
        "loader": lambda: load(strategies.ClassBalancedSampler(LABELS, **TWO)),
        "loss": strategies.get("loss-weights"),
        **TWO,
    },
    "majority-ignored": {"loader": shuffled, "loss": nn.CrossEntropyLoss(ignore_index=0)},
    "majority-ignored, strategy": {"loader": shuffled, "loss": strategies.get("ignore-index")},
    "pad-counted": {"loader": lambda: load(balanced()), "pad": 1},
    "labels-differ": {"loader": lambda: load(balanced()), "labels": SHUFFLED_LABELS},
    "not-resampled": {"loader": shuffled},
    "not-resampled, square root": {"loader": shuffled, "intended": "square-root"},
    "not-resampled, stream": {"loader": lambda: load(dataset=Stream())},
    "not-resampled, sentences": {"loader": lambda: range(240), "labels": SENTENCES},
    "mix-differs": {"loader": lambda: load(weighted(torch.tensor([1.0, 2.0, 30.0, 4.0])[LABELS]))},
    "mix-differs, shares": {"loader": lambda: load(balanced()), "intended": [0.1, 0.2, 0.3, 0.4]},
}


@pytest.mark.parametrize("case", CASES)
def test_the_printed_fix_passes_the_audit(monkeypatch, case):
    given = dict(CASES[case])
    labels = given.pop("labels", LABELS)
    rebuild: Callable[[Any], Any] = given.pop("rebuild", load)
    if given.pop("precise", True) is False:
        monkeypatch.setattr(check_weights, "MULTINOMIAL_ITEMS", 800)
    loader = given.pop("loader")()
    result = audit(loader, labels, **given)
    name = case.partition(",")[0]
    finding = next(finding for finding in result.findings if finding.name == name)
    scope: dict[str, Any] = {
        "torch": torch,
        "nn": nn,
        "strategies": strategies,
        "DataLoader": DataLoader,
        "Subset": Subset,
        "WeightedRandomSampler": lambda *arguments, **named: WeightedRandomSampler(
            *arguments, **named, generator=seeded()
        ),
        "DistributedSampler": DistributedSampler,
        "RandomSampler": RandomSampler,
        "labels": labels.clone() if isinstance(labels, torch.Tensor) else labels,
        "dataset": getattr(loader, "dataset", None),
        "valid_dataset": DATA,
        "train_indices": PART.tolist(),
        "train_sampler": getattr(loader, "sampler", None),
        "sampler": getattr(loader, "sampler", None),
        "class_weights": CLASS_WEIGHTS,
        "sample_weights": CLASS_WEIGHTS[LABELS],
        "shares": torch.tensor([0.1, 0.2, 0.3, 0.4]),
        "counts": LABELS.bincount(),
        "rank": 1,
        "batch_size": 32,
        "train_data": list(range(240)),
    }
    for fixed_loader, loss in apply(finding.fix, scope, loader, rebuild, given.get("loss")):
        torch.manual_seed(0)
        arguments = {**given, "loss": loss}
        if "num_replicas=2" in finding.fix:
            arguments |= TWO
        again = audit(fixed_loader, scope["labels"], **arguments)
        assert again.ok, f"{finding}\n\n{again}"


def apply(
    fix: str, scope: dict[str, Any], loader: Any, rebuild: Callable[[Any], Any], loss: Any
) -> list[tuple[Any, Any]]:
    """Run the code of a fix as a user would, and return the loaders, with their losses, that come out of it."""
    if (loop := re.match(r"for index in (.*):\n", fix)) is not None:
        exec(fix, scope)
        return [(eval(loop[1], scope), loss)]
    tree = ast.parse(fix)
    before, sampler = set(scope), scope["sampler"]
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(ast.Module([node for node in tree.body if node is not last], []), "fix", "exec"), scope)
    value = eval(compile(ast.Expression(last.value), "fix", "eval"), scope) if isinstance(last, ast.Expr) else None
    outcomes = []
    if isinstance(value, DataLoader):
        outcomes.append((value, loss))
    elif isinstance(value, Sampler):
        outcomes.append((rebuild(value), loss))
    elif scope["sampler"] is not sampler:
        dataset = scope["dataset"]
        own = rebuild is not load or dataset is None
        outcomes.append(
            (rebuild(scope["sampler"]) if own else load(scope["sampler"], dataset), scope.get("loss_fn", loss))
        )
    elif "loss_fn" in set(scope) - before:
        outcomes.append((loader, scope["loss_fn"]))
    else:
        outcomes.append((loader, loss))  # the labels were wrong
    if (alternative := re.search(r"drop the sampler: (.*)", fix)) is not None:
        outcomes.append((eval(alternative[1], scope), loss))
    return outcomes


def test_every_finding_has_a_case():
    documented = re.search(r"by `finding.name`: (.*?)\.\n", str(audit.__doc__), re.S)
    assert documented is not None
    assert {name.partition(",")[0] for name in CASES} == set(re.split(r",\s+", documented[1]))


def test_names_with_a_hyphen_stay_whole_in_code():
    loss = 'strategies.get("logit-adjustment").loss(strategies.ClassCounts.of(labels))'
    text = str(audit(load(dataset=Stream()), LABELS))
    assert loss in audit(load(dataset=Stream()), LABELS).findings[0].fix
    assert loss in text
    assert max(map(len, text.splitlines())) <= 100
