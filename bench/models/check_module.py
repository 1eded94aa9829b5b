"""Checks of a user's module before anything is trained: what would fail hours later is refused in one line."""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.parameter import is_lazy

from bench.errors import InputError
from bench.models.model import Shape
from bench.models.seeded_rng import isolated_rng
from bench.models.user_module import HEAD, Factory, UserModule, untrained_state
from bench.user_code.module_loader import describe_error, last_line

_FIX = "fix it, or leave this task out (--task names those to run)"


def check_module(name: str, factory: Factory, shape: Shape) -> UserModule:
    """Build the module for this shape, check it on a few synthetic items, and return it as a model.

    Raises an `InputError` that says which items the module was given and what it must return.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a module warns again when it is trained
        model = UserModule(name, factory, shape)
        _check_parameters(name, model.module)
        model.init(shape, Generator().manual_seed(0))  # refuses untrained state that differs from seed to seed
        _check_state(model)
        several, single = _synthetic_items(shape, 3, 4), _synthetic_items(shape, 1, 1)
        _check_determinism(model, several)
        logits, head_inputs = _call_and_watch_head(model, several)
        _check_logits(model, several, logits)
        _check_logits(model, single, _call(model, single, training=False))
        model.has_head = _is_last_layer(model, head_inputs, logits)
    return model


def _synthetic_items(shape: Shape, count: int, words: int) -> Tensor:
    """Return synthetic items, batch first; all sentences but the first are one word shorter, with padding at the end."""
    generator = Generator().manual_seed(0)
    if not shape.vocabulary:
        return torch.randn(count, shape.features, generator=generator)
    length = words if shape.positions == 1 else shape.positions
    x = torch.randint(1, shape.vocabulary, (count, length), generator=generator)
    x[1:, -1] = 0
    return x


def _describe_items(shape: Shape, x: Tensor) -> tuple[str, list[tuple[int, ...]]]:
    """Return a description of the items, and the shapes of logits that are allowed for them."""
    B, C, P = len(x), shape.classes, shape.labelled_positions
    if not shape.vocabulary:
        return f"rows of numbers, float32 {tuple(x.shape)}", [(B, C)]
    if shape.positions == 1:
        return f"sentences of word ids, int64 {tuple(x.shape)}, ended by 0", [(B, x.shape[1], C)]
    return f"windows of word ids, int64 {tuple(x.shape)}", [(B, P * C), *([(B, P, C)] if P > 1 else [])]


def _check_parameters(name: str, module: nn.Module) -> None:
    if isinstance(module, torch.jit.ScriptModule):
        raise InputError(f"{name} returned a TorchScript module; return the nn.Module that it was made from")
    parameters = dict(module.named_parameters())
    if lazy := [parameter for parameter, value in parameters.items() if is_lazy(value)]:
        raise InputError(
            f"{name}: parameter {lazy[0]!r} has no shape yet; give the layer its sizes instead of a lazy layer"
        )
    if wrong := [parameter for parameter, value in parameters.items() if value.dtype != torch.float32]:
        dtype = parameters[wrong[0]].dtype
        raise InputError(f"{name}: parameter {wrong[0]!r} is {dtype}; parameters must be torch.float32")
    if not any(value.requires_grad for value in parameters.values()):
        raise InputError(f"{name}: the module has no parameters to train; register them as nn.Parameter or as layers")


def _call(model: UserModule, x: Tensor, *, training: bool, module: nn.Module | None = None) -> object:
    """Return what the model's module, or another one from the same factory, returns for these items."""
    items, allowed = _describe_items(model.shape, x)
    called = model.module if module is None else module
    called.train(training)
    try:
        with isolated_rng(0, x.device):
            return called(x.clone())
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{last_line(error, model.name)}: {model.name} was given {items}, and must return logits "
            f"{_join(allowed)}; it failed: {describe_error(error)}; {_FIX}"
        ) from None


def _check_logits(model: UserModule, x: Tensor, logits: object) -> None:
    items, allowed = _describe_items(model.shape, x)
    must = f"{model.name} was given {items}, and must return logits, float32 {_join(allowed)}, with gradient"
    if not isinstance(logits, Tensor):
        raise InputError(f"{must}; it returned {type(logits).__name__}; {_FIX}")
    if tuple(logits.shape) not in allowed or logits.dtype != torch.float32:
        returned = f"{str(logits.dtype).removeprefix('torch.')} {tuple(logits.shape)}"
        raise InputError(f"{must}; it returned {returned}; {_FIX}")
    if not logits.isfinite().all():
        raise InputError(f"{must}; it returned numbers that are not finite; {_FIX}")
    if not logits.requires_grad:
        raise InputError(
            f"{must}; what it returned does not depend on its parameters: is it detached, or under no_grad?"
        )


def _check_state(model: UserModule) -> None:
    """Refuse a module that changes buffers or parameters by itself: a stack keeps one set of parameters per run, nothing else."""
    state_before = {name: value.clone() for name, value in untrained_state(model.module).items()}
    parameters_before = {name: value.detach().clone() for name, value in model.module.named_parameters()}
    _call(model, _synthetic_items(model.shape, 3, 4), training=True)
    for name, parameter in model.module.named_parameters():
        if not torch.equal(parameter, parameters_before[name]):
            raise InputError(
                f"{model.name}: forward changes its own parameter {name!r}; leave that to the optimiser, or change a copy"
            )
    for name, value in untrained_state(model.module).items():
        if name not in state_before or not torch.equal(value, state_before[name]):
            raise InputError(
                f"{model.name}: {name!r} changes in training though it is no parameter, as running statistics do; "
                "use nn.LayerNorm or nn.GroupNorm, or track_running_stats=False"
            )


def _check_determinism(model: UserModule, x: Tensor) -> None:
    """Refuse a module whose logits depend on more than its parameters, its items and torch's random numbers."""
    for training in (True, False):
        first, second, rebuilt = (
            _call(model, x, training=training, module=module) for module in (model.module, model.module, model.build(0))
        )
        if not _equal(first, second):
            raise InputError(
                f"{model.name}: called twice on the same items with the same parameters and torch seed, the module returned "
                "different logits; draw random numbers from torch, and keep no numbers between calls"
            )
        if not _equal(first, rebuilt):
            raise InputError(
                f"{model.name}: built twice from one torch seed, the modules returned different logits; draw initial values "
                "from torch's random numbers"
            )


def _equal(first: object, second: object) -> bool:
    """Whether two calls returned the same tensor; another type counts as equal here, and is refused by `_check_logits`."""
    if not (isinstance(first, Tensor) and isinstance(second, Tensor)):
        return True
    return torch.equal(first.nan_to_num(), second.nan_to_num())


def _call_and_watch_head(model: UserModule, x: Tensor) -> tuple[object, list[Tensor]]:
    """Return the logits, and the inputs of each call of the layer `head`, if there is one."""
    head_inputs: list[Tensor] = []
    head = getattr(model.module, "head", None)
    if not isinstance(head, nn.Linear):
        return _call(model, x, training=False), head_inputs
    hook = head.register_forward_pre_hook(lambda _, inputs: head_inputs.extend(inputs))
    try:
        return _call(model, x, training=False), head_inputs
    finally:
        hook.remove()


def _is_last_layer(model: UserModule, head_inputs: list[Tensor], logits: object) -> bool:
    """Whether the logits are the output of the layer `head`.

    It must be called once, on one vector per item or word, with a weight and a bias that no other layer shares.
    """
    if len(head_inputs) != 1:
        return False
    head = model.module.get_submodule("head")
    parameters = {
        name: value for name, value in model.module.named_parameters(remove_duplicate=False) if value.requires_grad
    }
    of_head = [name for name, value in parameters.items() if any(value is other for other in head.parameters())]
    outputs = model.shape.labelled_positions * model.shape.classes
    if sorted(of_head) != sorted(HEAD) or parameters["head.weight"].shape[0] != outputs:
        return False
    expected = F.linear(head_inputs[0], parameters["head.weight"], parameters["head.bias"])
    dimensions = 3 if model.of_sentences else 2
    return isinstance(logits, Tensor) and expected.ndim == dimensions and _close(expected, logits)


def _close(expected: Tensor, logits: Tensor) -> bool:
    same_size = expected.numel() == logits.numel()
    return same_size and torch.allclose(expected.view(logits.shape), logits, rtol=1e-4, atol=1e-5)


def _join(shapes: list[tuple[int, ...]]) -> str:
    return " or ".join(map(str, shapes))
