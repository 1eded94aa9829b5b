"""Tables of the KEEL repository: which there are, and how their files become CSV with a line of names."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

from bench.tasks.fetched_files import FetchedFiles
from bench.text.numbers import format_imbalance

_BINARY = """
    abalone-17_vs_7-8-9-10 abalone-19_vs_10-11-12-13 abalone-20_vs_8-9-10 abalone-21_vs_8 abalone-3_vs_11 abalone19
    abalone9-18 car-good car-vgood cleveland-0_vs_4 dermatology-6 ecoli-0-1-3-7_vs_2-6 ecoli-0-1-4-6_vs_5
    ecoli-0-1-4-7_vs_2-3-5-6 ecoli-0-1-4-7_vs_5-6 ecoli-0-1_vs_2-3-5 ecoli-0-1_vs_5 ecoli-0-2-3-4_vs_5 ecoli-0-2-6-7_vs_3-5
    ecoli-0-3-4-6_vs_5 ecoli-0-3-4-7_vs_5-6 ecoli-0-3-4_vs_5 ecoli-0-4-6_vs_5 ecoli-0-6-7_vs_3-5 ecoli-0-6-7_vs_5
    ecoli-0_vs_1 ecoli1 ecoli2 ecoli3 ecoli4 flare-F glass-0-1-2-3_vs_4-5-6 glass-0-1-4-6_vs_2 glass-0-1-5_vs_2
    glass-0-1-6_vs_2 glass-0-1-6_vs_5 glass-0-4_vs_5 glass-0-6_vs_5 glass0 glass1 glass2 glass4 glass5 glass6 haberman iris0
    kddcup-buffer_overflow_vs_back kddcup-guess_passwd_vs_satan kddcup-land_vs_portsweep kddcup-land_vs_satan
    kddcup-rootkit-imap_vs_back kr-vs-k-one_vs_fifteen kr-vs-k-three_vs_eleven kr-vs-k-zero-one_vs_draw
    kr-vs-k-zero_vs_eight kr-vs-k-zero_vs_fifteen led7digit-0-2-4-5-6-7-8-9_vs_1 lymphography-normal-fibrosis new-thyroid1
    new-thyroid2 page-blocks-1-3_vs_4 page-blocks0 pima poker-8-9_vs_5 poker-8-9_vs_6 poker-8_vs_6 poker-9_vs_7 segment0
    shuttle-2_vs_5 shuttle-6_vs_2-3 shuttle-c0-vs-c4 shuttle-c2-vs-c4 vehicle0 vehicle1 vehicle2 vehicle3 vowel0
    winequality-red-3_vs_5 winequality-red-4 winequality-red-8_vs_6-7 winequality-red-8_vs_6 winequality-white-3-9_vs_5
    winequality-white-3_vs_7 winequality-white-9_vs_4 wisconsin yeast-0-2-5-6_vs_3-7-8-9 yeast-0-2-5-7-9_vs_3-6-8
    yeast-0-3-5-9_vs_7-8 yeast-0-5-6-7-9_vs_4 yeast-1-2-8-9_vs_7 yeast-1-4-5-8_vs_7 yeast-1_vs_7 yeast-2_vs_4 yeast-2_vs_8
    yeast1 yeast3 yeast4 yeast5 yeast6 zoo-3
"""
BINARY = tuple(_BINARY.split())
"""Imbalanced tables of two classes; many are variants of one source, which their names begin with."""
BALANCED = ("letter", "penbased", "satimage", "segment", "texture", "vowel")
"""Tables of many classes that are nearly equally frequent, which long-tailed tasks are made of."""
MANY_CLASSES = {"fars": ".dat", "kr-vs-k": ".dat", "page-blocks": ".dat", "yeast": ".data.txt"}
"""Imbalanced tables of many classes, and how their files end."""

TARGET = "class"
"""The label's column, the last one, in files that do not name their columns."""
TARGETS = {"fars": "INJURY_SEVERITY", "kr-vs-k": "Game", "page-blocks": "Class"}
"""The label's column in the other files."""
KEEL = FetchedFiles("keel", "the KEEL tables", tuple(f"{name}.csv" for name in (*BINARY, *BALANCED)))
KEEL_MANY_CLASSES = FetchedFiles(
    "keel-many-classes", "the KEEL tables of many classes", tuple(f"{name}.csv" for name in MANY_CLASSES)
)
NOTICE = (
    "KEEL asks to be cited: Alcalá-Fdez et al. (2011), KEEL Data-Mining Software Tool: Data Set Repository, Journal of "
    "Multiple-Valued Logic and Soft Computing 17, 255-287. The tables come without a licence file, mostly from the UCI "
    "repository. They are in your own cache and are not part of this project: do not redistribute them."
)
_ATTRIBUTE = re.compile(r"@attribute\s+(?P<name>'[^']*'|[^\s{\[]+)", re.IGNORECASE)


def to_csv(content: bytes) -> bytes:
    """Return a table of KEEL as CSV in UTF-8 with a line of names; the label is the last column.

    Names come from lines of `@attribute`. Where there is none, the columns are x1, x2 and so on, and `TARGET`. Values are
    separated by commas, or where a file has none, by blanks. Missing values, `<null>` or `?`, become empty.

    >>> to_csv(b"1.5, a, positive\\n<null>, b, negative\\n").decode().splitlines()
    ['x1,x2,class', '1.5,a,positive', ',b,negative']
    """
    names, rows = [], []
    for line in content.decode().splitlines():
        if match := _ATTRIBUTE.match(line):
            names.append(match["name"].strip("'"))
        elif line.strip() and not line.startswith("@"):
            values = line.split(",") if "," in line else line.split()
            rows.append(["" if value.strip() in ("<null>", "?") else value.strip() for value in values])
    names = names or [*(f"x{place}" for place in range(1, len(rows[0]))), TARGET]
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([names, *rows])
    return table.getvalue().encode()


def describe_tables() -> list[tuple[str, str]]:
    """Return the name of each imbalanced table as a task, and its size and class mix, or how to get it."""
    return [
        (f"keel:{name}", files.how_to_get or _describe(files.directory / f"{name}.csv"))
        for files, names in ((KEEL, BINARY), (KEEL_MANY_CLASSES, MANY_CLASSES))
        for name in names
    ]


def _describe(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    counts = sorted(Counter(row[-1] for row in rows).values(), reverse=True)
    return f"{len(rows):,} rows, {len(names) - 1} columns, {len(counts)} classes, {format_imbalance(counts)}"
