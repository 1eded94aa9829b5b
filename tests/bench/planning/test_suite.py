"""Suites: the shipped ones hold what the project promises, and an invalid one is refused with its line and the way to fix it."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import InputError
from bench.planning.protocol import ROWS, SENTENCES, WINDOWS
from bench.planning.suite import read_suite, suites, with_steps
from bench.tasks import find_task
from strategies import parse

QUICK = read_suite("quick")
TEXT = """\
title = "A tiny suite of none, steps and digits-lt"
seeds = 2

[[block]]
task = "digits-lt"
strategies = [
    "none",
    "loss-weights(power=0.5)",
]

[block.protocol]
steps = 40
validate_every = 20

[[block]]
task = "synthetic-conll(sentences, scale=0.01)"
strategies = ["none", "sentence-weights"]
"""


@pytest.fixture
def suite(tmp_path: Path):
    """Writes TEXT with one passage changed, as a file."""

    def write(old: str = "", new: str = "") -> str:
        assert old in TEXT
        path = tmp_path / "tiny.toml"
        path.write_text(TEXT.replace(old, new, 1) if old else TEXT, encoding="utf-8")
        return str(path)

    return write


def refusal(path: str) -> str:
    with pytest.raises(InputError) as error:
        read_suite(path)
    assert "\n" not in str(error.value)
    return str(error.value)


# What the project promises


def test_quick_and_full_come_with_the_package():
    assert {"quick", "full"} <= set(suites())


def test_every_shipped_suite_can_be_read():
    assert [read_suite(name).name for name in suites()] == suites()


def test_quick_has_exactly_the_strategies_that_the_project_promises():
    quick = read_suite("quick")
    weighted = ["none", "ignore-index", "loss-weights", "loss-weights(power=0.5)"]
    sampled = ["weighted-random-sampler", "class-balanced-sampling", "square-root-sampling", "random-oversampling"]
    headline = ["focal", "logit-adjustment", "deferred-reweighting", "post-hoc-adjustment", "thresholds"]
    recalibrations = ["temperature-scaling", "dirichlet-calibration"]
    assert {block.task.label: [str(each) for each in block.strategies] for block in quick.blocks} == {
        "conll2003-windows": [*weighted, *sampled, *headline, "ignore-index+thresholds", *recalibrations],
        "conll2003-windows-tags": [
            "none",
            "loss-weights",
            "sentence-weights",
            "sentence-weights(product)",
            *headline[-2:],
            *recalibrations,
        ],
        "conll2003-sentences": [
            *weighted[:3],
            *("sentence-weights", "random-oversampling"),
            *headline,
            "ignore-index+thresholds",
            *recalibrations,
        ],
        "digits-lt": [
            *weighted,
            *sampled,
            *("smote", "adasyn", "borderline-smote"),
            *headline[:3],
            "ldam+deferred-reweighting",
            *headline[3:],
            *recalibrations,
        ],
    }
    assert [block.post_hoc for block in quick.blocks] == [(parse("thresholds"), parse("prior-correction"))] * 4
    assert quick.seeds == 5
    assert quick.blocks[3].task == find_task("digits-lt(factor=50)")
    assert [block.protocol for block in quick.blocks] == [WINDOWS, WINDOWS, SENTENCES, ROWS]


def test_full_is_quick_with_ten_seeds_and_four_times_the_steps():
    quick, full = read_suite("quick"), read_suite("full")
    longer = [
        dataclasses.replace(
            block,
            protocol=dataclasses.replace(
                block.protocol, steps=4 * block.protocol.steps, validate_every=4 * block.protocol.validate_every
            ),
        )
        for block in quick.blocks
    ]
    assert full.seeds == 10
    assert list(full.blocks) == longer


def test_a_file_is_read_into_tasks_strategies_and_protocols(suite):
    tiny = read_suite(suite())
    assert (tiny.name, tiny.title, tiny.seeds) == ("tiny", "A tiny suite of none, steps and digits-lt", 2)
    digits, sentences = tiny.blocks
    assert digits.task == find_task("digits-lt")
    assert digits.strategies == (parse("none"), parse("loss-weights(power=0.5)"))
    assert digits.protocol == dataclasses.replace(ROWS, steps=40, validate_every=20)
    assert sentences.task == find_task("synthetic-conll(sentences, scale=0.01)")
    assert sentences.protocol == SENTENCES


def test_a_whole_number_is_accepted_for_a_float(suite):
    assert read_suite(suite("steps = 40", "steps = 40\nlearning_rate = 1")).blocks[0].protocol.learning_rate == 1


def test_a_directory_with_conll2003_reaches_its_tasks_and_no_others(tmp_path: Path):
    quick = read_suite("quick", tmp_path)
    assert [getattr(block.task, "directory", None) for block in quick.blocks] == [tmp_path, tmp_path, tmp_path, None]


# What is wrong, on which line, and how to fix it

BAD = {
    "unknown strategy": ('"none",', '"nome",', 7, "unknown strategy 'nome'; did you mean none?"),
    "nothing like a strategy": ('"none",', '"quux",', 7, "unknown strategy 'quux'; known: none, "),
    "strategy that is no name": ('"none",', '"none((1))",', 7, "write NAME or NAME(parameter=value, ...)"),
    "strategy's parameter mistyped": ("power=0.5", "powr=0.5", 8, "has no parameter 'powr'; did you mean power?"),
    "strategy's parameter of a wrong type": ("power=0.5", "power=high", 8, "must be a finite number; given: 'high'"),
    "strategy that is a number": ('"none",', "7,", (6, 7), "strategies must be a string; given: 7"),
    "strategies that are a string": (
        '["none", "sentence-weights"]',
        '"none"',
        17,
        "strategies must be a list; given: 'none'",
    ),
    "no strategies": ('["none", "sentence-weights"]', "[]", 17, "strategies must not be empty; given: []"),
    "strategy twice": (
        '"none",',
        '"loss-weights(power=0.5)",',
        7,
        "loss-weights(power=0.5) is listed twice under digits-lt",
    ),
    "strategy twice in another spelling": (
        '"none",',
        '"loss-weights(0.5)",',
        (7, 8),
        "is listed twice under digits-lt",
    ),
    "strategy twice, neither as plots write it": (
        '"none",\n    "loss-weights(power=0.5)"',
        '"loss-weights(0.5)",\n    "loss-weights( 0.50 )"',
        (7, 8),
        "is listed twice under digits-lt; remove one",
    ),
    "unknown task": ('"digits-lt"\n', '"digit-lt"\n', 5, "unknown task 'digit-lt'; did you mean digits-lt?"),
    "task's parameter mistyped": ('"digits-lt"\n', '"digits-lt(fctor=3)"\n', 5, "did you mean factor?"),
    "task's parameter out of range": ('"digits-lt"\n', '"digits-lt(factor=300)"\n', 5, "must be from 1 to 100"),
    "parameter for a task that has none": ('"digits-lt"\n', '"conll2003-windows(1)"\n', 5, "has no parameters"),
    "task that is a number": ('"digits-lt"\n', "7\n", 5, "task must be a string; given: 7"),
    "one key too many": ("seeds = 2", "seeds = 2\nseed = 3", 3, "unknown key 'seed'; did you mean seeds?"),
    "one key too many in a block": (
        'task = "digits-lt"',
        'task = "digits-lt"\nstrategy = "none"',
        6,
        "unknown key 'strategy'; did you mean strategies?",
    ),
    "key mistyped": ("seeds = 2", "seds = 2", 2, "unknown key 'seds'; did you mean seeds?"),
    "key of a block mistyped": (
        "strategies = [\n",
        "strategys = [\n",
        6,
        "unknown key 'strategys'; did you mean strategies?",
    ),
    "title missing": (
        'title = "A tiny suite of none, steps and digits-lt"',
        "",
        1,
        "the key 'title' is missing; add it",
    ),
    "seeds missing": ("seeds = 2", "", 1, "the key 'seeds' is missing; add it"),
    "no seeds": ("seeds = 2", "seeds = 0", 2, "seeds must be 1 or more; given: 0"),
    "half a seed": ("seeds = 2", "seeds = 2.5", 2, "seeds must be a whole number; given: 2.5"),
    "seeds in words": ("seeds = 2", 'seeds = "two"', 2, "given: 'two'"),
    "seeds as a string": ("seeds = 2", 'seeds = "2"', 2, "given: '2'"),
    "seeds that are true": ("seeds = 2", "seeds = true", 2, "given: True"),
    "protocol field mistyped": (
        "validate_every",
        "validate_evry",
        13,
        "no field 'validate_evry'; did you mean validate_every?",
    ),
    "protocol field that is not a suite's to set": ("steps = 40", "steps = 40\nversion = 2", 13, "no field 'version'"),
    "protocol field of a wrong type": ("steps = 40", "steps = 40.0", 12, "steps must be of type int; given: 40.0"),
    "protocol field as a string": ("= 20", '= "often"', 13, "validate_every must be of type int; given: 'often'"),
    "protocol field that is true": ("= 20", "= true", 13, "validate_every must be of type int; given: True"),
    "protocol field that is a list": ("= 20", "= [20]", 13, "validate_every must be of type int; given: [20]"),
    "steps that validations do not divide": ("= 20", "= 30", (12, 13), "given: steps=40, validate_every=30"),
    "model that is no file's function": (
        "steps = 40",
        'steps = 40\nmodel = "mpl"',
        13,
        "model 'mpl': give FILE.py:NAME",
    ),
    "model of no file": ("steps = 40", 'steps = 40\nmodel = "no.py:make"', 13, "model no.py:make: there is no file /"),
    "empty batches": ("steps = 40", "steps = 40\nbatch_size = 0", 13, "batch_size"),
    "learning rate below nothing": ("steps = 40", "steps = 40\nlearning_rate = -1.0", 13, "learning_rate"),
    "all words hidden and more": ("steps = 40", "steps = 40\nunk_rate = 1.5", 13, "unk_rate"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_an_invalid_suite_is_refused_with_file_line_and_the_way_to_fix_it(suite, case):
    old, new, line, fix = BAD[case]
    path = suite(old, new)
    message = refusal(path)
    places = tuple(f"{path}:{each}: " for each in (line if isinstance(line, tuple) else (line,)))
    assert message.startswith(places)
    assert fix in message


def test_the_line_is_in_the_block_with_the_error(tmp_path: Path):
    path = tmp_path / "two.toml"
    block = '[[block]]\ntask = "digits-lt"\nstrategies = ["none"]\nprotocol = { steps = 40, validate_every = 20 }\n'
    path.write_text(f'title = "Two"\nseeds = 1\n{block}{block.replace("20", "30")}')
    assert refusal(str(path)).startswith(f"{path}:10: protocol: steps must be a multiple")


def test_a_comment_is_never_named_as_the_error(suite):
    path = suite("steps = 40", "# validate_every = 30 is no divisor of 40\nsteps = 40\nbatch = 3")
    assert refusal(path).startswith(f"{path}:14: ")
    path = suite("validate_every = 20", "# batch_size = 0 is refused\nvalidate_every = 20\nbatch_size = 0")
    assert refusal(path).startswith(f"{path}:15: ")


def test_blocks_that_are_not_a_list_are_refused(tmp_path: Path):
    path = tmp_path / "one.toml"
    path.write_text('title = "One"\nseeds = 1\n[block]\ntask = "digits-lt"\nstrategies = ["none"]\n')
    assert refusal(str(path)).startswith(f"{path}:3: block must be a list; given: ")
    assert refusal(str(path)).endswith("; write [[block]]")


def test_a_file_without_a_block_is_refused(tmp_path: Path):
    path = tmp_path / "empty.toml"
    path.write_text('title = "Nothing"\nseeds = 1\n')
    assert refusal(str(path)) == f"{path}:1: the key 'block' is missing; add it"
    path.write_text('title = "Nothing"\nseeds = 1\nblock = []\n')
    assert refusal(str(path)) == f"{path}:3: block must not be empty; given: []; write [[block]]"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("seeds = 2", "seeds = ", 2), ("[[block]]", "[[block]", 4), ('"sentence-weights"]', "", 17)],
)
def test_invalid_toml_is_refused_with_its_line(suite, old, new, line):
    path = suite(old, new)
    assert refusal(path).startswith(f"{path}:{line}: not TOML: ")


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path):
    path = tmp_path / "latin.toml"
    path.write_bytes(TEXT.replace("loss", "l\u00f6ss").encode("latin-1"))
    assert refusal(str(path)) == f"{path}:8: the byte 0xf6 is not UTF-8; save the file as UTF-8"


@pytest.mark.parametrize("name", ["missing.toml", "quik", "quick.tml", "", ".", "a directory.toml"])
def test_a_suite_that_does_not_exist_is_refused_with_the_known_names(tmp_path: Path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("a directory.toml").mkdir()
    message = refusal(name)
    assert message.startswith(f"no suite {name!r}: ")
    assert "full, learning, quick, tuned, or the path of a file that ends in .toml" in message


# Suites of earlier versions


def test_a_suite_with_every_key_of_earlier_versions_is_still_read(tmp_path: Path):
    path = tmp_path / "old.toml"
    path.write_text("""\
title = "Every key"
seeds = 2

[[block]]
task = "digits-lt"
strategies = ["none", "focal", "thresholds"]
primary = ["focal"]
free = ["thresholds", "prior-correction"]

[block.protocol]
batch_size = 32
steps = 40
validate_every = 20
learning_rate = 0.002
unk_rate = 0.0
embedding_scale = 0.2
length_group = 1
weight_decay = 0.01
clip_norm = 1.0
dropout = 0.1
embedding_adam = "dense"

[block.tuning]
size = 2
learning_rate = [1e-3, 3e-3]
"focal" = ["focal(gamma=1)", "focal"]
""")
    (block,) = read_suite(str(path)).blocks
    assert block.primary == (parse("focal"),)
    assert block.post_hoc == (parse("thresholds"), parse("prior-correction"))
    assert (block.protocol.batch_size, block.protocol.weight_decay) == (32, 0.01)
    assert block.tuning.learning_rates == (1e-3, 3e-3)
    path.write_text(path.read_text().replace("free =", "post_hoc ="))
    assert read_suite(str(path)).blocks == (block,)


def test_post_hoc_and_its_old_name_together_are_refused(suite):
    path = suite(
        "validate_every = 20",
        'validate_every = 20\n[[block]]\ntask = "digits-lt"\nstrategies = ["none"]\n'
        'post_hoc = ["thresholds"]\nfree = ["thresholds"]',
    )
    assert refusal(path) == f"{path}:18: free is the old name of post_hoc; give one of the two keys"


# Plug-ins and steps


def test_a_plug_in_that_is_not_there_is_refused_with_its_line(suite):
    path = suite("seeds = 2\n", 'seeds = 2\nplugins = ["mine.py"]\n')
    assert refusal(path).startswith(f"{path}:3: {Path(path).parent / 'mine.py'}: a plug-in is a Python file")


@pytest.mark.parametrize("value", ['"mine.py"', "[3]"])
def test_plug_ins_must_be_a_list_of_files(suite, value):
    path = suite("seeds = 2\n", f"seeds = 2\nplugins = {value}\n")
    assert f"{path}:3: plugins must be a" in refusal(path)


@given(st.integers(1, 3000))
def test_another_number_of_steps_is_validated_about_as_often(steps):
    for before, block in zip(QUICK.blocks, with_steps(QUICK, steps).blocks, strict=True):
        block.protocol.check()
        assert block.protocol.steps == steps
        wanted = before.protocol.steps / before.protocol.validate_every
        times = [steps / every for every in range(1, steps + 1) if steps % every == 0]
        nearest = min(max(wanted / each, each / wanted) for each in times)
        found = steps / block.protocol.validate_every
        assert max(wanted / found, found / wanted) == pytest.approx(nearest)
    assert with_steps(QUICK, 3200).blocks[0].protocol == QUICK.blocks[0].protocol
