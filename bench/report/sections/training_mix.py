"""The class mix that each strategy was really trained on."""

from __future__ import annotations

from bench.report import wording
from bench.report.page_parts import Part
from bench.report.tables.class_mix_table import class_mix_table, sampling_table
from bench.report.task_results import TaskResults

TITLE = wording.TRAINING_MIX


def build(task: TaskResults) -> list[Part]:
    """Return the share of each class among all sampled labels, and how much was sampled."""
    amounts = sampling_table(task.results, task.facts, task.part_name("sampling"))
    if not amounts.rows:
        return []
    class_mix = class_mix_table(task.results, task.facts, task.part_name("class-mix"))
    return [wording.TRAINING_MIX_LEAD, class_mix, amounts]
