"""Data sets prepared for one kind of prediction, by name."""

from bench.tasks import digits_lt, tagged_corpora
from bench.tasks.task import Task, TaskSpec
from bench.tasks.task_registry import find_task, known_tasks, register_task

__all__ = ["Task", "TaskSpec", "digits_lt", "find_task", "known_tasks", "register_task", "tagged_corpora"]
