"""The tables of a study for LaTeX, with the rules of the package booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.tables.markdown_page import Block
from bench.report.text_table import Table
from bench.text.file_names import anchor_of

_HEAD = "% \\usepackage{booktabs}\n"


def latex_page(title: str, name: str, tasks: Iterable[tuple[TaskFacts, Iterable[Block]]]) -> str:
    r"""Return the tables among the blocks of each task, all text escaped; `name` begins their labels.

    >>> facts = TaskFacts("a_b", "", "natural", [], [], 0, None, [], resplit=None)
    >>> print(latex_page("Quality", "quality", [(facts, [Table([{"strategy": "50% & more", "F1": "0.5 ± 0.1"}], "quality")])]))
    % \usepackage{booktabs}
    <BLANKLINE>
    \begin{table}
    \caption{Quality, a\_b}
    \label{tab:quality-a_b}
    \begin{tabular}{lr}
    \toprule
    strategy & F1 \\
    \midrule
    50\% \& more & 0.5 $\pm$ 0.1 \\
    \bottomrule
    \end{tabular}
    \end{table}
    <BLANKLINE>
    """
    tables = [text for facts, blocks in tasks for text in _tables(title, name, facts, blocks)]
    return "\n".join([_HEAD, *tables])


def _tables(title: str, name: str, facts: TaskFacts, blocks: Iterable[Block]) -> Iterator[str]:
    tables = [block for block in blocks if isinstance(block, Table) and block.rows]
    for number, table in enumerate(tables):
        frame = pd.DataFrame([{_escape(key): _escape(cell) for key, cell in row.items()} for row in table.rows])
        about = f"{title}, {facts.task}" if number == 0 else f"{title}, {facts.task}: {table.name}"
        label = f"tab:{name}-{anchor_of(facts.task)}" + (f"-{number + 1}" if number else "")
        columns = "l" + "r" * (len(frame.columns) - 1)
        yield frame.to_latex(index=False, escape=False, caption=_escape(about), label=label, column_format=columns)


def _escape(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


_ESCAPES = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "★": "*",
}
