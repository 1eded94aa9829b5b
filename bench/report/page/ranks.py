"""The critical-difference diagram: mean ranks over data sets, and which of them are not told apart."""

from __future__ import annotations

from markupsafe import Markup
from matplotlib.figure import Figure

from bench.evidence import Overall
from bench.report.figures.canvas import INK, WIDTH
from bench.report.page.drawing import inline
from bench.report.page.judged import Judged
from bench.report.page.verdict import over_data_sets

TITLE = "Mean ranks over data sets, 1 the best; a bar joins strategies that Nemenyi's test does not tell apart (5%)"


def diagram(tasks: list[Judged]) -> Markup:
    """The diagram of Demsar (2006), JMLR 7; nothing where there is no overall verdict."""
    found = over_data_sets(tasks) if tasks else None
    if not isinstance(found, Overall):
        return Markup()
    ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in found.mean_ranks.items())
    return inline(_figure(found), "ranks", f"Mean ranks: {ranks}. Critical difference: {found.critical_difference:.2f}")


def _figure(found: Overall) -> Figure:
    from scikit_posthocs import critical_difference_diagram  # brings statsmodels and plotting with it

    page = Figure(figsize=(WIDTH, 1.4 + 0.22 * len(found.mean_ranks)), layout="constrained")
    axes = page.add_subplot()
    axes.set_title(TITLE, loc="left", size=9)
    critical_difference_diagram(
        found.mean_ranks,
        found.pairwise_p,
        ax=axes,
        label_fmt_left="{label} [{rank:.2f}]",
        label_fmt_right="[{rank:.2f}] {label}",
        color_palette=[INK] * len(found.mean_ranks),
        text_h_margin=0.02,
    )
    return page
