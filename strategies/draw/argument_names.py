"""Names of arguments that other samplers have, and what to give instead."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Self

_LABELS = "give labels=..., which may be the data set itself"
OTHER_NAMES = {
    "generator": "the samples depend on the seed alone: give seed=generator.initial_seed()",
    "random_state": "give seed=...",
    "shuffle": "samples always come in random order: leave it out",
    "batch_size": "give it to the DataLoader, or to sampler.batches(batch_size)",
    "num_samples": "the length of an epoch follows from how often each item is repeated",
    "length_before_new_iter": "give num_samples=...",
    "replacement": "ClassBalancedSampler and WeightedSampler can sample without replacement",
    "progressive": "use ClassBalancedSampler",
    "power": "use ClassBalancedSampler",
    "method": "use WeightedSampler",
    "reduction": "use SentenceSampler",
    "mode": "give num_samples=... for more or fewer samples per epoch",
    "dataset": _LABELS,
    "data_source": _LABELS,
    "targets": _LABELS,
    "callback_get_label": "give labels=[get_label(item) for item in dataset]",
    "indices": "give labels=Subset(dataset, indices)",
    "labels": "use ClassBalancedSampler, SentenceSampler or RepeatFactorSampler",
    "weights": "use WeightedSampler, with one weight per item",
    "class_weights": "use WeightedSampler(class_weights[labels])",
    "threshold": "use RepeatFactorSampler",
    "repeat_thresh": "give threshold=...",
    "ignore_index": "give the items that are to be left out the weight 0",
    "world_size": "give num_replicas=...",
    "epoch": "call sampler.set_epoch(epoch)",
    "m": "use strategies.get('class-aware-sampling'), whose batches hold equally many items per class",
}
"""Arguments of PyTorch's samplers, of ours, and of those in use elsewhere, by what to do where a sampler lacks them."""


def explain_argument(sampler: str, name: str, parameters: Iterable[str]) -> str:
    """Return what to do instead of giving a sampler an argument that it does not have.

    >>> explain_argument("WeightedSampler", "shuffle", ["weights", "seed"])
    'WeightedSampler has no shuffle: samples always come in random order: leave it out. It has weights, seed.'
    """
    instead = f": {OTHER_NAMES[name]}" if name in OTHER_NAMES else ""
    return f"{sampler} has no {name}{instead}. It has {', '.join(parameters)}."


class ArgumentCheck:
    """The base of samplers: their constructors refuse arguments of other samplers, and name what to give instead."""

    _arguments: dict[str, Any]
    """What the sampler was built with, but for labels and weights."""

    @classmethod
    def parameters(cls) -> dict[str, inspect.Parameter]:
        """Return the parameters of the constructor by name."""
        own = inspect.signature(cls.__init__).parameters
        return {name: parameter for name, parameter in own.items() if name != "self"}

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Refuse an argument that only other samplers have, and name what to give instead."""
        sampler = super().__new__(cls)
        parameters = cls.parameters()
        if (arguments or named) and not any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values()):
            names = list(parameters)
            for name in named:
                if name not in names:
                    raise TypeError(explain_argument(cls.__name__, name, names))
            unnamed = [name for name in names if parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
            if len(arguments) > len(unnamed):
                extra = "; PyTorch's fourth is a generator, here it is seed=generator.initial_seed()"
                raise TypeError(
                    f"{cls.__name__} takes {', '.join(unnamed)} without a name, and all others by name; given: "
                    f"{len(arguments)} values{extra if 'weights' in names else ''}. It has {', '.join(names)}."
                )
            defaults = {name: parameters[name].default for name in names}
            sampler._arguments = {**defaults, **dict(zip(unnamed, arguments, strict=False)), **named}
            for what in ("labels", "weights", "stream"):  # may be large, and are not kept alive
                sampler._arguments.pop(what, None)
        return sampler
