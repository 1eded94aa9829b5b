"""Entry point of the command `imbench`, also run by `python -m bench`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

HARNESS_PACKAGES = (
    *(
        "imblearn",
        "itables",
        "jinja2",
        "markupsafe",
        "matplotlib",
        "numba",
        "pandas",
        "platformdirs",
        "pyarrow",
        "pydantic",
        "rich",
    ),
    *("scipy", "seaborn", "seqeval", "sklearn", "tabulate", "typer"),
)
"""Import names of the packages that the extra `bench` installs."""


def main() -> None:
    """Run the command line; where its packages are missing, say in one line how to install them and exit with code 2."""
    if missing := [package for package in HARNESS_PACKAGES if find_spec(package) is None]:
        are = "is" if len(missing) == 1 else "are"
        print(
            f"imbench: {', '.join(missing)} {are} not installed; "
            'install what the command line needs: pip install "imbalance-bench[bench]"',
            file=sys.stderr,
        )
        sys.exit(2)

    from bench.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
