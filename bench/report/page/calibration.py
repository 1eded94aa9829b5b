"""Whether probabilities keep what they say."""

from __future__ import annotations

from markupsafe import Markup

from bench.report.page.datatable import interactive, plain
from bench.report.page.judged import Judged

TITLE = "Calibration"


def parts(judged: Judged) -> list[str | Markup]:
    """The likelihood of the truth."""
    means = judged.results.means(judged.facts)
    if means.empty:
        return []
    rows = [{"strategy": str(name), "NLL": plain(row["nll_mean"])} for name, row in means.iterrows()]
    return ["Reliability: not measured.", interactive(rows, judged.name("calibration"))]
