"""Samplers to use in place of PyTorch's: class-balanced, by item weight, by sentence, by repeat factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from strategies.class_mix import power_shares
from strategies.dataset_labels import read_labels
from strategies.draw.by_class import ByClass
from strategies.draw.by_weight import ByWeight
from strategies.draw.index_sampler import IndexSampler
from strategies.draw.progressive import Progressive
from strategies.draw.repeat_factor import RepeatFactor, repeat_factors
from strategies.draw.sentence_weights import sentence_weights
from strategies.draw.streams import IndexStream, whole_number
from strategies.draw.systematic import Systematic
from strategies.draw.without_replacement import WithoutReplacement, WithoutReplacementByClass
from strategies.labels import IGNORED


class ClassBalancedSampler(IndexSampler):
    """Sample classes in proportion to a power of their size, by default equally often, and the items of a class uniformly.

    Class c has the share `n_c^power / sum(n^power)` of the samples, where n_c is its number of items.

    Parameters
    ----------
    labels
        The class of every item: class ids from 0, `(N,)`, as a tensor, array, list, pandas Series or `Labels`; or the data set
        itself, which holds them as `targets`, `labels`, or the last tensor of a `TensorDataset`. For a `Subset`, give the
        same `Subset` here and to the `DataLoader`. Items of class -100 are never sampled.
    power
        Exponent of the class size: 0 (default) samples all classes equally often, 0.5 is square-root sampling, 1 keeps the
        natural mix, -1 reverses it. Note that the strategies `weighted-random-sampler` and `loss-weights` have the exponent
        of the inverse weight instead: there 1 balances.
    progressive
        If given, the mix moves from the natural one to that of `power` over so many samples, counted across epochs and all
        processes, and stays there (Kang et al. 2020). Needs `replacement=True`.
    num_samples
        Samples per epoch, over all processes together. Default: N, the number of items.
    replacement
        True (default): an item may come several times per epoch. False: at most once, so `num_samples` must be given and be
        below the number of labelled items; the mix is the requested one at first, and closer to the natural one as rare classes
        run out.
    ignore_index
        The id of what has no label, such as 255 for the void of masks; like -100, it is never a class.
    seed
        Any whole number; the samples depend on it and on nothing else: neither on `torch.manual_seed` nor on a loader's
        generator. Default 0. Use one seed per run, the same in all processes.
    num_replicas
        Number of processes that share an epoch. By default the world size of `torch.distributed` if a process group is
        initialised, else 1.
    rank
        Number of this process, from 0. By default its rank in `torch.distributed`.
    drop_last
        If an epoch does not divide by `num_replicas`: True leaves out the remainder, False (default) adds up to
        `num_replicas - 1` samples. All processes get equally many either way.

    Raises
    ------
    ValueError
        If the labels are not one class id per item, or an argument is out of its range. The message says what is allowed.

    Warns
    -----
    SlowSamplingWarning
        Once, if numba is not installed: plain PyTorch then computes the same samples, more slowly.

    See Also
    --------
    WeightedSampler : one weight per item.
    SentenceSampler, RepeatFactorSampler : for items with many labels.
    audit : what a loader really samples.

    Notes
    -----
    Each `iter` is the next epoch, with other samples; `set_epoch` is not needed, not even with several processes. An epoch
    depends on the seed and its number alone, not on batch size, workers, device or number of processes. It takes 4 bytes of
    memory per item (8 beyond 2^31 items; twice that with `progressive`).

    References
    ----------
    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR.
    Mahajan et al. (2018), "Exploring the limits of weakly supervised pretraining", ECCV (`power=0.5`).

    Examples
    --------
    In a `DataLoader`, in place of `shuffle=True`:

    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> x, y = torch.randn(100, 8), torch.tensor([0] * 90 + [1] * 10)
    >>> data = TensorDataset(x, y)
    >>> loader = DataLoader(data, batch_size=32, sampler=ClassBalancedSampler(y, seed=0))
    >>> len(loader)
    4

    The same, faster, for data sets that can be indexed by a tensor, as `TensorDataset` can:

    >>> sampler = ClassBalancedSampler(data, seed=0)
    >>> loader = DataLoader(data, batch_size=None, sampler=sampler.batches(32))
    >>> next(iter(loader))[0].shape
    torch.Size([32, 8])

    Without a `DataLoader`; each pass over `batches` is an epoch:

    >>> batches = ClassBalancedSampler(y, seed=0).batches(32)
    >>> for epoch in range(2):
    ...     for index in batches:
    ...         inputs, targets = x[index], y[index]  # then the training step
    >>> index.shape, len(batches)
    (torch.Size([4]), 4)

    With several processes: after `torch.distributed.init_process_group`, the same line in every process samples its share of
    the epoch. Without a process group, give the number of processes and the number of this one:

    >>> shares = [ClassBalancedSampler(y, seed=0, num_replicas=2, rank=rank) for rank in range(2)]
    >>> [len(share) for share in shares]
    [50, 50]

    The same line without either holds under accelerate, the Trainer of transformers and Lightning, which share out the
    samples of any sampler by themselves: each process then samples whole epochs, of which they keep its share.

    To resume, store the state with the model; the next `iter` continues with the very next sample. With `num_workers > 0`
    use torchdata's `StatefulDataLoader` and store *its* state instead, because workers read ahead.

    >>> sampler = ClassBalancedSampler(y, seed=0)
    >>> iterator = iter(sampler)
    >>> first_ten = [next(iterator) for _ in range(10)]
    >>> state = sampler.state_dict()  # a small dictionary of ints
    >>> resumed = ClassBalancedSampler(y, seed=0)
    >>> resumed.load_state_dict(state)
    >>> first_ten + list(resumed) == list(ClassBalancedSampler(y, seed=0))
    True
    """

    def __init__(
        self,
        labels: Any,
        *,
        power: float = 0.0,
        progressive: int | None = None,
        num_samples: int | None = None,
        replacement: bool = True,
        ignore_index: int = IGNORED,
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        item_labels = read_labels(labels, "ClassBalancedSampler", ignore_index)
        if not item_labels.single_label:
            raise ValueError(
                "ClassBalancedSampler needs one label per item; given: items with many labels. "
                "Use SentenceSampler or RepeatFactorSampler for these."
            )
        classes, counts = item_labels.values, item_labels.counts().values
        labelled_items = int(counts.sum())
        if not labelled_items:
            raise ValueError(
                "ClassBalancedSampler needs labelled items to sample; given: no item with a label. "
                "Give labels that are class ids from 0."
            )
        epoch_size = _epoch_size(num_samples, len(item_labels), replacement, labelled_items)
        shares = power_shares(counts, power)
        stream: IndexStream
        if not replacement:
            if num_samples is None or num_samples == labelled_items:
                raise ValueError(
                    f"replacement=False with num_samples={num_samples} would sample each of the {labelled_items} items once: "
                    "the natural mix. Give a smaller num_samples, or sample with replacement."
                )
            if progressive is not None:
                raise ValueError("progressive needs replacement=True; given: replacement=False")
            item_rates = shares / counts.clamp_min(1)
            stream = WithoutReplacementByClass(classes, item_rates, num_samples=epoch_size, seed=seed)
        else:
            stream = ByClass(classes, counts, shares, num_samples=epoch_size, seed=seed)
            if progressive is not None:
                natural = ByClass(classes, counts, counts.double(), num_samples=epoch_size, seed=seed)
                stream = Progressive(natural, stream, over=whole_number("progressive", progressive))
        super().__init__(stream, num_replicas=num_replicas, rank=rank, drop_last=drop_last)


class WeightedSampler(IndexSampler):
    """Sample items in proportion to their weights: a faster replacement for `torch.utils.data.WeightedRandomSampler`.

    It takes the same first three arguments, and also more than 2^24 items.

    Parameters
    ----------
    weights
        One weight per *item* (not per class), `(N,)`: finite, not negative, not all 0. They need not sum to 1. They can be
        assigned (`sampler.weights = new`) or written in place (`sampler.weights[i] = 0`); `num_samples` and `replacement` can be
        assigned. All that takes effect from the next epoch on.
    num_samples
        Samples per epoch, over all processes together. Default: N, the number of items.
    replacement
        True (default): an item may come several times per epoch. False: at most once.
    method
        "independent" (default): every sample is an independent draw. "systematic": each item comes the floor or the ceiling of
        its expected number of times per epoch, in random order: less noise, but the samples are not independent. Needs
        `replacement=True`.
    seed
        Any whole number; the samples depend on it and on nothing else. Default 0. Use one seed per run, the same in all
        processes.
    num_replicas
        Number of processes that share an epoch. By default the world size of `torch.distributed` if a process group is
        initialised, else 1.
    rank
        Number of this process, from 0. By default its rank in `torch.distributed`.
    drop_last
        If an epoch does not divide by `num_replicas`: True leaves out the remainder, False (default) adds up to
        `num_replicas - 1` samples. All processes get equally many either way.

    Raises
    ------
    ValueError
        If the weights are not one finite number per item that is not negative, if all are 0, or if another argument is out of
        its range.

    Warns
    -----
    SlowSamplingWarning
        Once, if numba is not installed: plain PyTorch then computes the same samples, more slowly.

    See Also
    --------
    ClassBalancedSampler : weights that depend on the class alone; also how to use a sampler in a `DataLoader`, without one,
        in several processes, and how to resume.

    Notes
    -----
    Independent samples come from an alias table of 16 bytes per item (Walker 1977); without replacement, from exponential
    arrival times (Efraimidis and Spirakis 2006): the law of `torch.multinomial`.

    References
    ----------
    Walker (1977), "An efficient method for generating discrete random variables with general distributions", ACM TOMS 3.
    Efraimidis and Spirakis (2006), "Weighted random sampling with a reservoir", Information Processing Letters 97.
    Madow and Madow (1944), "On the theory of systematic sampling, I", Annals of Mathematical Statistics 15.

    Examples
    --------
    >>> labels = torch.tensor([0] * 90 + [1] * 10)
    >>> class_weights = 1.0 / labels.bincount()
    >>> sampler = WeightedSampler(class_weights[labels], seed=0)  # one weight per item
    >>> len(list(sampler))
    100
    >>> index = torch.tensor(list(WeightedSampler([1.0, 3.0], 8, method="systematic", seed=0)))
    >>> index.bincount().tolist()
    [2, 6]
    """

    def __init__(
        self,
        weights: Tensor | np.ndarray | Sequence[float],
        num_samples: int | None = None,
        replacement: bool = True,
        *,
        method: Literal["independent", "systematic"] = "independent",
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        stream = self._build(weights, num_samples, replacement, method, seed)
        super().__init__(stream, num_replicas=num_replicas, rank=rank, drop_last=drop_last)

    @property
    def weights(self) -> Tensor:
        """One weight per item, `(N,)` float64. New weights, also those written in place, hold from the next epoch on."""
        return self._weights

    @weights.setter
    def weights(self, weights: Tensor | np.ndarray | Sequence[float]) -> None:
        self._change(weights=weights)

    @property
    def num_samples(self) -> int:
        """Samples per epoch, over all processes together; assigning it takes effect from the next epoch on."""
        return len(self._weights) if (size := self._arguments["num_samples"]) is None else int(size)

    @num_samples.setter
    def num_samples(self, num_samples: int | None) -> None:
        self._change(num_samples=num_samples)

    @property
    def replacement(self) -> bool:
        """Whether an item may come several times per epoch; assigning it takes effect from the next epoch on."""
        return bool(self._arguments["replacement"])

    @replacement.setter
    def replacement(self, replacement: bool) -> None:
        self._change(replacement=replacement)

    def _change(self, **changed: Any) -> None:
        """Build the stream of the next epoch anew; if an argument is refused, nothing changes."""
        names = ("weights", "num_samples", "replacement", "method", "seed")
        self._stream = self._build(
            **{name: changed.get(name, getattr(self, name)) for name in names}
            | {"num_samples": changed.get("num_samples", self._arguments["num_samples"])}
        )
        self._arguments.update({name: value for name, value in changed.items() if name != "weights"})

    def _begin_epoch(self, iterator: Any) -> tuple[int, int]:
        if self._weights._version != self._built_version:  # written in place since
            self._change()
        return super()._begin_epoch(iterator)

    def _build(
        self,
        weights: Tensor | np.ndarray | Sequence[float],
        num_samples: int | None,
        replacement: bool,
        method: Literal["independent", "systematic"],
        seed: int,
    ) -> IndexStream:
        """Return the stream of these weights, and keep them."""
        checked = _check_weights(weights)
        epoch_size = _epoch_size(num_samples, len(checked), replacement, int((checked > 0).sum()))
        if method not in ("independent", "systematic"):
            raise ValueError(f"method must be 'independent' or 'systematic'; given: {method!r}")
        stream: IndexStream
        if method == "systematic":
            if not replacement:
                raise ValueError(
                    "method='systematic' samples an item as often as its weight says: it needs replacement=True"
                )
            stream = Systematic(checked, num_samples=epoch_size, seed=seed)
        elif replacement:
            stream = ByWeight(checked, num_samples=epoch_size, seed=seed)
        else:
            stream = WithoutReplacement(checked, num_samples=epoch_size, seed=seed)
        self._weights, self._built_version = checked, checked._version
        return stream


class SentenceSampler(IndexSampler):
    """Sample items with many labels, such as sentences, by the mean weight of their labels.

    A label of class c has the weight `N / (C n_c)`: the rarer its class, the more. An item's weight is the geometric mean of
    the weights of its labels.

    Parameters
    ----------
    labels
        One sequence of class ids from 0 per item, class ids `(N, P)` or masks `(N, H, W)`, or `Labels`; or the data set that
        holds them as `targets` or `labels`. Label -100 (PAD) is skipped; an item without a label is never sampled.
    reduction
        "geometric-mean" (default), or "product" of the weights, which needs items with equally many positions because it
        would prefer short items.
    num_samples
        Samples per epoch, over all processes together. Default: the number of items.
    ignore_index
        The id of what has no label, such as 255 for the void of masks; like -100, it is never a class.
    seed
        Any whole number; the samples depend on it and on nothing else. Default 0. Use one seed per run, the same in all
        processes.
    num_replicas
        Number of processes that share an epoch. By default the world size of `torch.distributed` if a process group is
        initialised, else 1.
    rank
        Number of this process, from 0. By default its rank in `torch.distributed`.
    drop_last
        If an epoch does not divide by `num_replicas`: True leaves out the remainder, False (default) adds up to
        `num_replicas - 1` samples. All processes get equally many either way.

    Raises
    ------
    ValueError
        If no item has a label, labels are not class ids, or `reduction="product"` meets items of different lengths.

    Warns
    -----
    SlowSamplingWarning
        Once, if numba is not installed: plain PyTorch then computes the same samples, more slowly.

    See Also
    --------
    RepeatFactorSampler : every item at least once per epoch.
    ClassBalancedSampler : how to use a sampler in a `DataLoader`, without one, in several processes, and how to resume.

    Notes
    -----
    The remedy is folklore, without a paper; `strategies.get("sentence-weights")` is the same as a strategy. It moves the class
    mix towards rare classes but does not balance it: frequent labels come along in the sentences of rare ones.

    Examples
    --------
    >>> sentences = [[0, 0, 0], [0, 1], [0, 0]]  # the tags of the words of each
    >>> sampler = SentenceSampler(sentences, num_samples=1000, seed=0)
    >>> index = torch.tensor(list(sampler))
    >>> bool((index == 1).double().mean() > 0.4)  # the only one with a tag of class 1
    True
    """

    def __init__(
        self,
        labels: Any,
        *,
        reduction: Literal["geometric-mean", "product"] = "geometric-mean",
        num_samples: int | None = None,
        ignore_index: int = IGNORED,
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        item_labels = read_labels(labels, "SentenceSampler", ignore_index)
        counts = item_labels.counts()
        if not int(counts.values.sum()):
            raise ValueError("SentenceSampler needs items with labels; given: no item has a label")
        weights = _check_weights(sentence_weights(item_labels, counts.inverse(), reduction))
        epoch_size = _epoch_size(num_samples, len(weights), True, len(weights))
        stream = ByWeight(weights, num_samples=epoch_size, seed=seed)
        super().__init__(stream, num_replicas=num_replicas, rank=rank, drop_last=drop_last)


class RepeatFactorSampler(IndexSampler):
    """Repeat items of rare classes, and sample every item at least once per epoch (LVIS).

    An item comes `max(1, sqrt(threshold / f_c))` times per epoch on average, the largest value over its classes; f_c is the
    share of items that hold class c. In each epoch that number is rounded up or down at random, and the order is random.

    Parameters
    ----------
    labels
        One sequence of class ids from 0 per item, one class id per item, or `Labels`; or the data set that holds them as
        `targets` or `labels`. Label -100 (PAD) is skipped; an item without a label comes once.
    threshold
        Share of the items, 0 or more: classes in fewer items than that are repeated. Default 0.001, as published; 0 repeats
        nothing.
    ignore_index
        The id of what has no label, such as 255 for the void of masks; like -100, it is never a class.
    seed
        Any whole number; the samples depend on it and on nothing else. Default 0. Use one seed per run, the same in all
        processes.
    num_replicas
        Number of processes that share an epoch. By default the world size of `torch.distributed` if a process group is
        initialised, else 1.
    rank
        Number of this process, from 0. By default its rank in `torch.distributed`.
    drop_last
        If an epoch does not divide by `num_replicas`: True leaves out the remainder, False (default) adds up to
        `num_replicas - 1` samples. All processes get equally many either way.

    Raises
    ------
    ValueError
        If `threshold` is negative or infinite, or labels are not class ids.

    See Also
    --------
    ClassBalancedSampler : how to use a sampler in a `DataLoader`, without one, in several processes, and how to resume.

    Notes
    -----
    Because of the rounding, the length of an epoch varies a little; `len(sampler)` is that of the current epoch.

    References
    ----------
    Gupta, Dollar and Girshick (2019), "LVIS: a dataset for large vocabulary instance segmentation", CVPR.

    Examples
    --------
    >>> sampler = RepeatFactorSampler([[0], [0], [0], [0, 1]], threshold=1.0, seed=0)
    >>> sorted(sampler)
    [0, 1, 2, 3, 3]
    """

    def __init__(
        self,
        labels: Any,
        *,
        threshold: float = 1e-3,
        ignore_index: int = IGNORED,
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        if not isinstance(threshold, int | float) or not 0 <= threshold < math.inf:
            raise ValueError(f"threshold must be a share of the items, 0 or more; given: {threshold!r}")
        factors = repeat_factors(read_labels(labels, "RepeatFactorSampler", ignore_index), threshold)
        super().__init__(RepeatFactor(factors, seed=seed), num_replicas=num_replicas, rank=rank, drop_last=drop_last)


def _check_weights(given: Tensor | np.ndarray | Sequence[float]) -> Tensor:
    """Return item weights as float64 on the CPU, `(N,)`; refuse what cannot be sampled from."""
    try:
        weights = torch.as_tensor(given).cpu()
        weights = weights if weights.is_complex() else torch.as_tensor(given, dtype=torch.float64).cpu()
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(
            f"weights must be numbers, one per item; given: a {type(given).__name__} that is not of numbers"
        ) from None
    if weights.ndim != 1 or not len(weights) or weights.is_complex():
        raise ValueError(
            f"weights must be one real number per item, shape (N,); given: shape {tuple(weights.shape)}, {weights.dtype}"
        )
    invalid = ~(weights.isfinite() & (weights >= 0))
    if invalid.any():
        first = int(invalid.nonzero()[0])
        raise ValueError(
            f"weights must be finite and not negative; given: weights[{first}] = {float(weights[first])} "
            f"({int(invalid.sum())} of {len(weights)} are invalid). A class without items gives 1 / 0: leave it out."
        )
    if not (weights > 0).any():
        raise ValueError("weights must not all be 0; given: no positive weight")
    return weights


def _epoch_size(num_samples: int | None, items: int, replacement: bool, eligible_items: int) -> int:
    """Return the samples per epoch: `num_samples`, or the number of items; check that without replacement there are enough."""
    size = items if num_samples is None else whole_number("num_samples", num_samples)
    if not isinstance(replacement, bool):
        raise ValueError(f"replacement must be True or False; given: {replacement!r}")
    if not replacement and size > eligible_items:
        raise ValueError(
            f"replacement=False can sample at most the {eligible_items} items of positive weight; given: num_samples={size}"
        )
    return size
