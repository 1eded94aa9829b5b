"""A reader's own `nn.Module` as a model: run row by row of a stack, each row with its own parameters and random numbers."""

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
from bench.models.seeded_rng import drawing
from bench.user_code.load import describe_error, last_line, load_module

Make = Callable[[Shape], nn.Module]
"""A function, or a class, that builds the module for a task's sizes."""

HEAD = ("head.weight", "head.bias")
NOWHERE = {"head.weight": torch.empty(0, 0), "head.bias": torch.empty(0)}
"""In the place of the last layer's parameters where a module has no such layer: nothing to move, nothing to read."""


def locate_module(text: str) -> tuple[str, str]:
    """The module `FILE.py:NAME`, a path from the working directory, with its absolute path; and a hash of the file.

    `InputError` if there is no such file.
    """
    file, colon, name = text.rpartition(":")
    if not colon or not file.endswith(".py") or not name.isidentifier():
        raise InputError(
            f"model {text!r}: give FILE.py:NAME, a function of yours that makes an nn.Module, such as mymodel.py:make; "
            "leave it out for the model of this package that fits the task"
        )
    path = Path(file).expanduser().absolute()
    if not path.is_file():
        raise InputError(f"model {text}: there is no file {path}; the path counts from the working directory")
    return f"{path}:{name}", _hash(path)


class UserModule:
    """One module and the parameters of S trainings, by `torch.func.functional_call`: what each training gets alone, it gets
    in any stack.

    Items are given batch first: rows `(B, F)`, windows of word ids `(B, W)`, or sentences of word ids `(B, T)`, each batch as
    long as its own longest sentence. A module that gives its logits by a layer `head` has its parameters last.
    """

    embedding = None

    def __init__(self, name: str, make: Make, shape: Shape) -> None:
        self.name, self._make, self.shape = name, make, shape
        self.module = self.made(0)
        self._places = places(self.module)
        self.has_head = False
        """Whether `module.head` is a last layer in the harness's sense; the trial finds out."""

    def made(self, seed: int) -> nn.Module:
        """The module as `make` builds it from a seed."""
        place = f"{self.name}({self.shape})"
        try:
            with drawing(seed, torch.device("cpu")):
                module = self._make(self.shape)
        except (Exception, SystemExit) as error:
            raise InputError(f"{last_line(error, self.name)}: {place} failed: {describe_error(error)}") from None
        if not isinstance(module, nn.Module):
            raise InputError(f"{place} returned {type(module).__name__}; return an nn.Module")
        return module

    def init(self, shape: Shape, generator: Generator) -> Params:
        module = self.made(int(torch.randint(2**63 - 1, (), generator=generator)))
        self._check_kept(module)
        trained = {name: module.get_parameter(name).detach() for name in places(module)}
        last = {name: trained.pop(name) for name in HEAD} if self.has_head else NOWHERE
        body = {f"body.{name}": value.view(value.shape or (1,)) for name, value in trained.items()}
        return body | last

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        read: list[Tensor] = []
        hook = self.module.get_submodule("head").register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
        try:
            for _ in self._rows(params, x, valid, noise):
                pass
        finally:
            hook.remove()
        return self._stacked(read, x)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        logits = self._stacked(list(self._rows(params, x, valid, noise)), x)
        return logits.flatten(1, 2) if self.of_sentences else logits.flatten(2)

    @property
    def of_sentences(self) -> bool:
        return self.shape.vocabulary > 0 and self.shape.positions == 1

    def _rows(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise) -> Iterator[Tensor]:
        """What the module returns for each training's items with its parameters."""
        if x.device.type != "cpu":
            self.module.to(x.device)
        self.module.train(noise is not None)
        own = {name: self.module.get_parameter(name) for name in self._places}
        by_name = [params[name if self.has_head and name in HEAD else f"body.{name}"].unbind() for name in own]
        for row, values in enumerate(zip(*by_name, strict=True)):
            given: dict[str, Tensor] = {}
            for (name, parameter), value in zip(own.items(), values, strict=True):
                # cuDNN lays an LSTM's weights into one block, in place: not those of the stack.
                shaped = value.view(parameter.shape).clone() if x.is_cuda else value.view(parameter.shape)
                given |= dict.fromkeys(self._places[name], shaped)
            items = self._items(x[row], None if valid is None else valid[row])
            seed = 0 if noise is None else int(torch.randint(2**63 - 1, (), generator=noise[row]))
            with drawing(seed, x.device):
                yield functional_call(self.module, given, (items,), tie_weights=False)

    def _items(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """A training's items in memory of their own, whatever lies beside them in the stack."""
        if not self.of_sentences:
            return x.clone(memory_format=torch.contiguous_format)
        longest = len(x) if valid is None else int(valid.any(1).sum())
        return x[:longest].T.clone(memory_format=torch.contiguous_format)

    def _stacked(self, rows: list[Tensor], x: Tensor) -> Tensor:
        for row in rows:
            if row.requires_grad:  # its gradient in memory of its own too
                row.register_hook(lambda gradient: gradient.clone(memory_format=torch.contiguous_format))
        if self.of_sentences:
            rows = [F.pad(row.transpose(0, 1), (0, 0, 0, 0, 0, x.shape[1] - row.shape[1])) for row in rows]
        return torch.stack(rows)

    def _check_kept(self, module: nn.Module) -> None:
        """All trainings share what is not trained, so that it must not depend on the seed."""
        if module is self.module:
            raise InputError(f"{self.name} returned the same module twice; build a new one at every call")
        mine, theirs = kept(self.module), kept(module)
        for name, value in theirs.items():
            if name not in mine or not torch.equal(mine[name], value):
                raise InputError(
                    f"{self.name}: {name!r} is not trained, and differs from one seed to the next; "
                    "make it from a generator or a file of its own, or train it"
                )


def places(module: nn.Module) -> dict[str, list[str]]:
    """Where the module keeps each trained parameter, by the first of these names; a layer that stands twice is one place.

    `functional_call` finds shared parameters too, but leaves its values behind in a layer that stands twice.
    """
    found: dict[int, list[str]] = {}
    for layer_name, layer in module.named_modules():
        for name, value in layer.named_parameters(recurse=False, remove_duplicate=False):
            if value.requires_grad:
                found.setdefault(id(value), []).append(f"{layer_name}.{name}" if layer_name else name)
    return {names[0]: names for names in found.values()}


def kept(module: nn.Module) -> dict[str, Tensor]:
    """What training does not move, by name: buffers, and parameters without gradient."""
    frozen = {name: value for name, value in module.named_parameters() if not value.requires_grad}
    return {**frozen, **dict(module.named_buffers())}


@cache
def maker(model: str, source: str) -> Make:
    """The function of `ABSOLUTE.py:NAME`, from a file of this hash."""
    file, _, name = model.rpartition(":")
    if not Path(file).is_file() or _hash(Path(file)) != source:
        raise InputError(f"{file}: is not the file that this run was planned with; run the command again")
    with drawing(0, torch.device("cpu")):
        module = load_module(file)
    found = getattr(module, name, None)
    if not callable(found):
        own = [
            each
            for each, value in vars(module).items()
            if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module.__name__
        ]
        raise InputError(f"{file}: has no function {name!r}; it has {', '.join(sorted(own)[:12]) or 'none'}")
    return found  # type: ignore[no-any-return]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
