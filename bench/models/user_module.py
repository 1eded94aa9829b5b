"""A user's `nn.Module` as a model: called once per run of a stack, with the parameters and random numbers of that run."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.func import functional_call

from bench.errors import InputError
from bench.models.model import Noise, Params, Shape
from bench.models.seeded_rng import isolated_rng
from bench.user_code.module_loader import describe_error, last_line, load_module

Factory = Callable[[Shape], nn.Module]
"""A user's function or class that builds the module for the sizes of a task."""

HEAD = ("head.weight", "head.bias")
NO_HEAD = {"head.weight": torch.empty(0, 0), "head.bias": torch.empty(0)}
"""Empty parameters of the last layer, for a module without a layer `head`."""


def locate_module(text: str) -> tuple[str, str]:
    """Return `FILE.py:NAME` with the absolute path of the file, and a hash of the file; `InputError` if there is none."""
    file, colon, name = text.rpartition(":")
    if not colon or not file.endswith(".py") or not name.isidentifier():
        raise InputError(
            f"model {text!r}: give FILE.py:NAME, a function that returns an nn.Module, such as mymodel.py:make; "
            "leave it out for the model of this package that fits the task"
        )
    path = Path(file).expanduser().absolute()
    if not path.is_file():
        raise InputError(f"model {text}: there is no file {path}; the path is relative to the working directory")
    return f"{path}:{name}", _hash(path)


class UserModule:
    """One module and the parameters of S runs, by `torch.func.functional_call`: each run gets the same numbers in any stack.

    The module gets items batch first: rows `(B, F)`, windows of word ids `(B, W)`, or sentences of word ids `(B, T)`, each
    batch as long as its own longest sentence. If a layer `head` returns the logits, its parameters come last.
    """

    embedding = None

    def __init__(self, name: str, factory: Factory, shape: Shape) -> None:
        self.name, self._factory, self.shape = name, factory, shape
        self.module = self.build(0)
        self._names = names_of_parameters(self.module)
        self.has_head = False
        """Whether `module.head` is the last layer, so that strategies can act on it: set by `check_module`."""

    def build(self, seed: int) -> nn.Module:
        """Build the module with initial values from a seed."""
        call = f"{self.name}({self.shape})"
        try:
            with isolated_rng(seed, torch.device("cpu")):
                module = self._factory(self.shape)
        except (Exception, SystemExit) as error:
            raise InputError(f"{last_line(error, self.name)}: {call} failed: {describe_error(error)}") from None
        if not isinstance(module, nn.Module):
            raise InputError(f"{call} returned {type(module).__name__}; return an nn.Module")
        return module

    def init(self, shape: Shape, generator: Generator) -> Params:
        module = self.build(int(torch.randint(2**63 - 1, (), generator=generator)))
        self._check_untrained_state(module)
        trained = {name: module.get_parameter(name).detach() for name in names_of_parameters(module)}
        last = {name: trained.pop(name) for name in HEAD} if self.has_head else NO_HEAD
        body = {f"body.{name}": value.view(value.shape or (1,)) for name, value in trained.items()}
        return body | last

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        head_inputs: list[Tensor] = []
        head = self.module.get_submodule("head")
        hook = head.register_forward_pre_hook(lambda _, inputs: head_inputs.append(inputs[0]))
        try:
            for _ in self._call_per_run(params, x, valid, noise):
                pass
        finally:
            hook.remove()
        return self._stack(head_inputs, x)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        logits = self._stack(list(self._call_per_run(params, x, valid, noise)), x)
        return logits.flatten(1, 2) if self.of_sentences else logits.flatten(2)

    @property
    def of_sentences(self) -> bool:
        """Whether items are sentences."""
        return self.shape.vocabulary > 0 and self.shape.positions == 1

    def _call_per_run(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise) -> Iterator[Tensor]:
        """Yield what the module returns for the items of each run, with the run's parameters."""
        if x.device.type != "cpu":
            self.module.to(x.device)
        self.module.train(noise is not None)
        parameters = {name: self.module.get_parameter(name) for name in self._names}
        by_name = [params[name if self.has_head and name in HEAD else f"body.{name}"].unbind() for name in parameters]
        for row, values in enumerate(zip(*by_name, strict=True)):
            of_run: dict[str, Tensor] = {}
            for (name, parameter), value in zip(parameters.items(), values, strict=True):
                # A copy on a GPU: cuDNN moves the weights of an LSTM into one block, in place.
                shaped = value.view(parameter.shape).clone() if x.is_cuda else value.view(parameter.shape)
                of_run |= dict.fromkeys(self._names[name], shaped)
            items = self._items(x[row], None if valid is None else valid[row])
            seed = 0 if noise is None else int(torch.randint(2**63 - 1, (), generator=noise[row]))
            with isolated_rng(seed, x.device):
                yield functional_call(self.module, of_run, (items,), tie_weights=False)

    def _items(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """Copy a run's items, so that their layout in memory does not depend on the stack: sums could round differently."""
        if not self.of_sentences:
            return x.clone(memory_format=torch.contiguous_format)
        longest = len(x) if valid is None else int(valid.any(1).sum())
        return x[:longest].T.clone(memory_format=torch.contiguous_format)

    def _stack(self, rows: list[Tensor], x: Tensor) -> Tensor:
        """Stack the outputs of all runs; sentences are padded to the longest of the stack, time first."""
        for row in rows:
            if row.requires_grad:  # the layout of its gradient must not depend on the stack either
                row.register_hook(lambda gradient: gradient.clone(memory_format=torch.contiguous_format))
        if self.of_sentences:
            rows = [F.pad(row.transpose(0, 1), (0, 0, 0, 0, 0, x.shape[1] - row.shape[1])) for row in rows]
        return torch.stack(rows)

    def _check_untrained_state(self, module: nn.Module) -> None:
        """Refuse untrained state that depends on the seed: all runs of a stack share it."""
        if module is self.module:
            raise InputError(f"{self.name} returned the same module twice; build a new one at every call")
        expected = untrained_state(self.module)
        for name, value in untrained_state(module).items():
            if name not in expected or not torch.equal(expected[name], value):
                raise InputError(
                    f"{self.name}: {name!r} is not trained, and differs from one seed to the next; "
                    "create it from a generator or a file of its own, or train it"
                )


def names_of_parameters(module: nn.Module) -> dict[str, list[str]]:
    """Return all names of each trained parameter, by the first of them; a layer that is used twice counts once.

    `functional_call` could tie shared parameters itself, but it leaves its values behind in a layer that is used twice.
    """
    names: dict[int, list[str]] = {}
    for layer_name, layer in module.named_modules():
        for name, value in layer.named_parameters(recurse=False, remove_duplicate=False):
            if value.requires_grad:
                names.setdefault(id(value), []).append(f"{layer_name}.{name}" if layer_name else name)
    return {of_parameter[0]: of_parameter for of_parameter in names.values()}


def untrained_state(module: nn.Module) -> dict[str, Tensor]:
    """Return what training does not change, by name: buffers, and parameters without gradient."""
    frozen = {name: value for name, value in module.named_parameters() if not value.requires_grad}
    return {**frozen, **dict(module.named_buffers())}


@cache
def load_factory(model: str, source: str) -> Factory:
    """Load the function of `ABSOLUTE.py:NAME`; `InputError` if the file's hash is not `source`."""
    file, _, name = model.rpartition(":")
    if not Path(file).is_file() or _hash(Path(file)) != source:
        raise InputError(f"{file}: is not the file that this run was planned with; run the command again")
    with isolated_rng(0, torch.device("cpu")):
        module = load_module(file)
    factory = getattr(module, name, None)
    if not callable(factory):
        defined = [
            other
            for other, value in vars(module).items()
            if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module.__name__
        ]
        raise InputError(f"{file}: has no function {name!r}; it has {', '.join(sorted(defined)[:12]) or 'none'}")
    return factory  # type: ignore[no-any-return]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
