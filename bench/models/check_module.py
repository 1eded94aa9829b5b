"""A reader's module on trial: what training would stumble over hours later is refused before it begins."""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.parameter import is_lazy

from bench.errors import InputError
from bench.models.model import Shape
from bench.models.seeded_rng import drawing
from bench.models.user_module import HEAD, Make, UserModule, kept
from bench.user_code.load import describe_error, last_line

_MEND = "mend it, or leave this task out (--task names those to run)"


def check_module(name: str, make: Make, shape: Shape) -> UserModule:
    """The module that `make` builds for this shape as a model; an `InputError` says what it was given, what it must return."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a module warns again when it trains
        model = UserModule(name, make, shape)
        _check_parameters(name, model.module)
        model.init(shape, Generator().manual_seed(0))  # refuses what differs from seed to seed
        _check_state(model)
        few, one = _items(shape, 3, 4), _items(shape, 1, 1)
        _check_repeats(model, few)
        logits, read = _read_by_head(model, few)
        _checked(model, few, logits)
        _checked(model, one, _called(model, one, training=False))
        model.has_head = _is_last(model, read, logits)
    return model


def _items(shape: Shape, count: int, words: int) -> Tensor:
    """Made items, batch first; of sentences, all but the first end a word earlier."""
    generator = Generator().manual_seed(0)
    if not shape.vocabulary:
        return torch.randn(count, shape.features, generator=generator)
    x = torch.randint(
        1, shape.vocabulary, (count, words if shape.positions == 1 else shape.positions), generator=generator
    )
    x[1:, -1] = 0
    return x


def _asked(shape: Shape, x: Tensor) -> tuple[str, list[tuple[int, ...]]]:
    """What the items are, and which shapes of logits are allowed for them."""
    B, C, P = len(x), shape.classes, shape.labelled_positions
    if not shape.vocabulary:
        return f"rows of numbers, float32 {tuple(x.shape)}", [(B, C)]
    if shape.positions == 1:
        return f"sentences of word ids, int64 {tuple(x.shape)}, ended by 0", [(B, x.shape[1], C)]
    return f"windows of word ids, int64 {tuple(x.shape)}", [(B, P * C), *([(B, P, C)] if P > 1 else [])]


def _check_parameters(name: str, module: nn.Module) -> None:
    if isinstance(module, torch.jit.ScriptModule):
        raise InputError(f"{name} returned a TorchScript module; return the nn.Module that it was made from")
    own = dict(module.named_parameters())
    if lazy := [each for each, value in own.items() if is_lazy(value)]:
        raise InputError(
            f"{name}: parameter {lazy[0]!r} has no shape yet; give the layer its sizes in place of a lazy one"
        )
    if wrong := [each for each, value in own.items() if value.dtype != torch.float32]:
        raise InputError(f"{name}: parameter {wrong[0]!r} is {own[wrong[0]].dtype}; parameters must be torch.float32")
    if not any(value.requires_grad for value in own.values()):
        raise InputError(f"{name}: the module has no parameters to train; register them as nn.Parameter or as layers")


def _called(model: UserModule, x: Tensor, *, training: bool, module: nn.Module | None = None) -> object:
    """What the model's module, or another that `make` built, returns."""
    given, allowed = _asked(model.shape, x)
    called = model.module if module is None else module
    called.train(training)
    try:
        with drawing(0, x.device):
            return called(x.clone())
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{last_line(error, model.name)}: {model.name} was given {given}, and must return logits "
            f"{_shown(allowed)}; it failed: {describe_error(error)}; {_MEND}"
        ) from None


def _checked(model: UserModule, x: Tensor, logits: object) -> None:
    given, allowed = _asked(model.shape, x)
    must = f"{model.name} was given {given}, and must return logits, float32 {_shown(allowed)}, with gradient"
    if not isinstance(logits, Tensor):
        raise InputError(f"{must}; it returned {type(logits).__name__}; {_MEND}")
    if tuple(logits.shape) not in allowed or logits.dtype != torch.float32:
        raise InputError(
            f"{must}; it returned {str(logits.dtype).removeprefix('torch.')} {tuple(logits.shape)}; {_MEND}"
        )
    if not logits.isfinite().all():
        raise InputError(f"{must}; it returned numbers that are not finite; {_MEND}")
    if not logits.requires_grad:
        raise InputError(
            f"{must}; what it returned does not depend on its parameters: is it detached, or under no_grad?"
        )


def _check_state(model: UserModule) -> None:
    """A stack keeps parameters by training, and nothing else."""
    before = {name: value.clone() for name, value in kept(model.module).items()}
    trained = {name: value.detach().clone() for name, value in model.module.named_parameters()}
    _called(model, _items(model.shape, 3, 4), training=True)
    for name, parameter in model.module.named_parameters():
        if not torch.equal(parameter, trained[name]):
            raise InputError(
                f"{model.name}: forward changes its own parameter {name!r}; leave that to the optimiser, or change a copy"
            )
    for name, value in kept(model.module).items():
        if name not in before or not torch.equal(value, before[name]):
            raise InputError(
                f"{model.name}: {name!r} changes in training though it is no parameter, as running statistics do; "
                "use nn.LayerNorm or nn.GroupNorm, or track_running_stats=False"
            )


def _check_repeats(model: UserModule, x: Tensor) -> None:
    """What a module returns may depend on its parameters, its items and torch's random numbers, and on nothing else."""
    for training in (True, False):
        first, again, rebuilt = (
            _called(model, x, training=training, module=module)
            for module in (model.module, model.module, model.made(0))
        )
        if not _same(first, again):
            raise InputError(
                f"{model.name}: called twice on the same items with the same parameters and torch seed, the module returned "
                "different logits; draw random numbers from torch, and keep no numbers between calls"
            )
        if not _same(first, rebuilt):
            raise InputError(
                f"{model.name}: built twice from one torch seed, the modules returned different logits; draw what they "
                "begin with from torch's random numbers"
            )


def _same(first: object, second: object) -> bool:
    """Whether two calls returned the same; what is no tensor is told of later."""
    if not (isinstance(first, Tensor) and isinstance(second, Tensor)):
        return True
    return torch.equal(first.nan_to_num(), second.nan_to_num())


def _read_by_head(model: UserModule, x: Tensor) -> tuple[object, list[Tensor]]:
    """Logits, and what the layer `head` read."""
    read: list[Tensor] = []
    head = getattr(model.module, "head", None)
    if not isinstance(head, nn.Linear):
        return _called(model, x, training=False), read
    hook = head.register_forward_pre_hook(lambda _, inputs: read.extend(inputs))
    try:
        return _called(model, x, training=False), read
    finally:
        hook.remove()


def _is_last(model: UserModule, read: list[Tensor], logits: object) -> bool:
    """Whether the layer `head` alone makes logits of what it reads, a vector an item or a word, by parameters of its own."""
    if len(read) != 1:
        return False
    head = model.module.get_submodule("head")
    own = {name: value for name, value in model.module.named_parameters(remove_duplicate=False) if value.requires_grad}
    mine = [name for name, value in own.items() if any(value is each for each in head.parameters())]
    if (
        sorted(mine) != sorted(HEAD)
        or own["head.weight"].shape[0] != model.shape.labelled_positions * model.shape.classes
    ):
        return False
    made = F.linear(read[0], own["head.weight"], own["head.bias"])
    return isinstance(logits, Tensor) and made.ndim == (3 if model.of_sentences else 2) and _alike(made, logits)


def _alike(made: Tensor, logits: Tensor) -> bool:
    return made.numel() == logits.numel() and torch.allclose(made.view(logits.shape), logits, rtol=1e-4, atol=1e-5)


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return " or ".join(map(str, shapes))
