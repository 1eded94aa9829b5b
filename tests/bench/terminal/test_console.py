"""Tables of commands on a terminal: names are not folded while there is room."""

from io import StringIO

import pytest
from rich.console import Console

from bench.terminal.console import count_table

HEADER = ("task", "strategy", "planned", "done", "failed", "missing")
ROWS = [("synthetic-conll(windows-tags)", "weighted-random-sampler(power=0.5)", "5", "4", "0", "1")]


def printed(width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(count_table(console, HEADER, ROWS, ["a line below"]))
    return console.file.getvalue().splitlines()


def test_where_there_is_room_a_row_is_a_line():
    assert printed(120)[1].split() == list(ROWS[0])
    assert len(printed(120)) == 3


def test_at_80_columns_the_task_is_folded_and_the_strategy_is_not():
    lines = printed(80)
    assert lines[0].split() == list(HEADER)
    assert lines[1].split()[1:] == list(ROWS[0][1:])
    assert "".join([lines[1].split()[0], *map(str.strip, lines[2:-1])]) == ROWS[0][0]


@pytest.mark.parametrize("width", [40, 25])
def test_where_there_is_no_room_names_are_folded_and_nothing_is_cut_off(width):
    letters = sorted("".join("".join(printed(width)).split()))
    assert letters == sorted("".join("".join((*HEADER, *ROWS[0], "alinebelow")).split()))
