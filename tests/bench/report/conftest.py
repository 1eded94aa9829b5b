"""One simulated study for all tests of the report."""

from __future__ import annotations

import pytest
from simulated_study import Simulated


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    return Simulated()
