"""Fixtures that the tests of the speed benchmarks share."""

import sys

import pytest
import torch

from bench import cli


@pytest.fixture
def imbench(monkeypatch, capsys):
    """Return a function that runs `imbench` with these arguments: exit code, standard output and standard error."""
    threads = torch.get_num_threads()

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["imbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_info:
            cli.main()
        output = capsys.readouterr()
        return exit_info.value.code or 0, output.out, output.err

    yield run_command
    torch.set_num_threads(threads)
