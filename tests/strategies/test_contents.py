"""The table of strategies agrees with the registry."""

from pathlib import Path

import strategies
from strategies.contents import entries, page

LIST = Path(strategies.__file__).parent / "CONTENTS.md"


def test_the_list_is_up_to_date():
    assert LIST.read_text(encoding="utf-8") == page(), "run: python -m strategies.contents > strategies/CONTENTS.md"


def test_every_strategy_has_a_description_a_formula_and_a_paper():
    assert len(entries()) >= 35
    for entry in entries():
        assert all((entry.description, entry.formula, entry.paper, entry.cost)), entry.name
        assert "\n" not in entry.description + entry.formula + entry.paper + entry.cost
        assert entry.paper == "folklore" or any(digit in entry.paper for digit in ("19", "20")), entry.name
