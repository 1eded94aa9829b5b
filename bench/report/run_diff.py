"""The old name of `bench.report.study_diff`, until the last caller imports the new one."""

from __future__ import annotations

from bench.report.study_diff import StudyDiff as Changes
from bench.report.study_diff import diff_studies as changes

__all__ = ["Changes", "changes"]
