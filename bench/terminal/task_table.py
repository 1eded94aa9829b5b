"""The tables of `imbench list tasks`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bench.tasks.task_list import LEGEND, list_tasks


def print_tasks(console: Console) -> None:
    """Print what each known task is; then its size, imbalance and licence, and whether its data are here."""
    descriptions, sizes = Table(box=None, show_header=False, pad_edge=False), Table(box=None, pad_edge=False)
    descriptions.add_column(no_wrap=True)
    descriptions.add_column()
    sizes.add_column("task", no_wrap=True)
    for heading in ("items", "classes", "ratio", "effective classes"):
        sizes.add_column(heading, justify="right")
    sizes.add_column("data")
    sizes.add_column("licence")
    for task in list_tasks():
        descriptions.add_row(task.name, task.description)
        numbers = ["-"] * 4
        if task.items is not None:
            numbers = [
                f"{task.items:,}",
                str(task.classes),
                f"{task.imbalance_ratio:,}",
                f"{task.effective_classes:.2f}",
            ]
        sizes.add_row(task.name, *numbers, task.data, task.licence)
    console.print(descriptions)
    console.print()
    console.print(sizes)
    console.print(LEGEND)
