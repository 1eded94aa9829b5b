"""The machine and the packages that numbers and timings hold for."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def facts(device: torch.device, *packages: str) -> dict[str, str]:
    """Return the device's name, and the versions of Python and of these packages."""
    return {
        "device": device_name(device),
        "python": platform.python_version(),
        **{name: package(name) for name in packages},
    }


def study_environment(device: torch.device) -> dict[str, str]:
    """Return the environment that a study is bound to: kind and name of the device, and versions."""
    import numpy
    import sklearn
    import torch

    return {
        "device": device.type,
        "device_name": device_name(device),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scikit-learn": sklearn.__version__,
    }


def device_name(device: torch.device) -> str:
    """Return the name of the GPU or the processor."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def processor() -> str:
    """Return the processor's name, on Linux with family and model, since one name stands for many models."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = fields.get("model name") or platform.processor() or "unknown processor"
    if {"cpu family", "model"} <= set(fields):
        return f"{name}, family {fields['cpu family']} model {fields['model']}"
    return name


def package(name: str) -> str:
    """Return the version of an installed package, "none" if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
