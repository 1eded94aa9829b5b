"""Facts of the machine, waiting for a device, and peak memory."""

import numpy as np
import pytest
import torch

from bench.machine.device import synchronize
from bench.machine.facts import device_name, facts, package, processor, study_environment
from bench.machine.memory import is_reported, measure_peak

CPU = torch.device("cpu")


def test_the_name_of_a_device_is_the_same_wherever_it_is_written():
    assert facts(CPU)["device"] == study_environment(CPU)["device_name"] == device_name(CPU) == processor()


def test_packages_are_named_with_their_versions():
    assert facts(CPU, "numpy")["numpy"] == study_environment(CPU)["numpy"] == np.__version__
    assert package("no such package") == "none"


def test_a_study_is_bound_to_these_facts():
    names = ["device", "device_name", "machine", "python", "torch", "numpy", "scikit-learn"]
    assert list(study_environment(CPU)) == names


def test_on_the_cpu_there_is_nothing_to_wait_for():
    synchronize(CPU)


@pytest.mark.skipif(not is_reported(), reason="only Linux reports the memory of a process")
def test_the_peak_is_what_was_held_meanwhile_and_the_value_comes_back():
    megabyte = 2**20
    value, peak = measure_peak(lambda: int(np.ones(64 * megabyte, np.uint8).sum()), CPU)
    assert value == 64 * megabyte
    assert peak is not None
    assert 60 * megabyte < peak < 128 * megabyte


def test_where_the_system_reports_nothing_the_peak_is_unknown(monkeypatch):
    monkeypatch.setattr("bench.machine.memory.is_reported", lambda: False)
    assert measure_peak(lambda: 3, CPU) == (3, None)
