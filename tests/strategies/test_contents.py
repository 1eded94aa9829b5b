"""The list of strategies is what the registry says."""

from pathlib import Path

import strategies
from strategies.contents import entries, page

LIST = Path(strategies.__file__).parent / "CONTENTS.md"


def test_the_list_is_up_to_date():
    assert LIST.read_text(encoding="utf-8") == page(), "run: python -m strategies.contents > strategies/CONTENTS.md"


def test_every_strategy_says_what_it_does_how_and_by_whom():
    assert len(entries()) >= 35
    for each in entries():
        assert all((each.description, each.formula, each.paper, each.cost)), each.name
        assert "\n" not in each.description + each.formula + each.paper + each.cost
        assert each.paper == "folklore" or any(digit in each.paper for digit in ("19", "20")), each.name
