"""Fixtures of tests that run the command line."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from command_line import SUITE, Answer, Imbench, InProcessEngine, Place, wait_for_answer

from bench import cli


@pytest.fixture(scope="session")
def ctrl_c_is_heard() -> Iterator[None]:
    """Hear Ctrl-C, which processes that a shell starts in the background, and their children, ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, ctrl_c_is_heard: None) -> Place:
    """A directory with a small suite, in which commands are run."""
    directory = tmp_path_factory.mktemp("runs")
    (directory / "small.toml").write_text(SUITE)
    return Place(directory)


@pytest.fixture(scope="session")
def uninterrupted(place: Place) -> tuple[Path, Answer]:
    """The results directory of a study that ran from beginning to end, and the answer; tests must not change it."""
    return place.directory / "whole", wait_for_answer(place.run("whole", workers=1))


@pytest.fixture
def imbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Imbench]:
    """Run a command in this process; it draws no figures, which take seconds and which `uninterrupted` has drawn."""
    threads = torch.get_num_threads()
    monkeypatch.setattr("bench.report.write_figures", lambda *_: [])
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "no cache"))
    monkeypatch.delenv("IMBENCH_CONLL2003", raising=False)

    def answer(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["imbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return Answer(end.value.code or 0, printed.out, printed.err)

    yield answer
    torch.set_num_threads(threads)


@pytest.fixture
def earlier(uninterrupted: tuple[Path, Answer], tmp_path: Path) -> Path:
    """A copy of the results directory of `uninterrupted`."""
    return shutil.copytree(uninterrupted[0], tmp_path / "earlier")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> InProcessEngine:
    """The engine that `imbench` uses in place of worker processes."""
    engine = InProcessEngine()
    monkeypatch.setattr("bench.engine.local_workers.run_stacks", engine)
    return engine
