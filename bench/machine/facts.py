"""The machine and the packages that a timing holds for."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def facts(device: torch.device, *packages: str) -> dict[str, str]:
    """The device's name, and the versions of Python and of these packages."""
    import torch

    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else processor(),
        "python": platform.python_version(),
        **{name: package(name) for name in packages},
    }


def processor() -> str:
    """The processor's name, with family and model where Linux tells them: one name serves many models."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = facts.get("model name") or platform.processor() or "unknown processor"
    return (
        f"{name}, family {facts['cpu family']} model {facts['model']}"
        if {"cpu family", "model"} <= set(facts)
        else name
    )


def package(name: str) -> str:
    """The version of an installed package, "none" if it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
