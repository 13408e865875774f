"""Processors, memory, GPUs and settings."""

import json
import os
import platform
import subprocess
import sys

import pytest

from plankton_features.diagnosis import computer
from plankton_features.diagnosis.computer import Graphics, find_graphics, look_at_computer


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A Linux machine without any GPU."""
    monkeypatch.setattr(computer.shutil, "which", lambda name: None)
    monkeypatch.setattr(computer, "_NVIDIA", tmp_path / "nvidia")
    monkeypatch.setattr(computer, "_AMD", tmp_path / "kfd")
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


@pytest.fixture
def smi(bare, monkeypatch):
    """An ``nvidia-smi`` that prints this and ends with that code."""

    def install(printed, code=0):
        folder = bare / "bin"
        folder.mkdir()
        tool = folder / "nvidia-smi"
        tool.write_text(f"#!{sys.executable}\nprint({json.dumps(printed)})\n"
                        f"raise SystemExit({code})")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(computer.shutil, "which", lambda name: str(tool))

    return install


def test_no_gpu(bare):
    assert find_graphics() == Graphics()


def test_nvidia_tells_names_and_driver(smi):
    smi("NVIDIA H100 80GB HBM3, 550.54.15\nNVIDIA L4, 550.54.15")
    assert find_graphics() == Graphics("nvidia", ("NVIDIA H100 80GB HBM3", "NVIDIA L4"),
                                       "550.54.15")


def test_a_tool_without_a_driver_counts_for_nothing(smi):
    smi("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 9)
    assert find_graphics() == Graphics()


def test_a_tool_that_lists_no_gpu_counts_for_nothing(smi):
    smi("No devices were found")
    assert find_graphics() == Graphics()


def test_a_tool_that_hangs_counts_for_nothing(bare, monkeypatch):
    def hang(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(computer.shutil, "which", lambda name: name)
    monkeypatch.setattr(computer.subprocess, "run", hang)
    assert find_graphics() == Graphics()


def test_the_driver_itself_tells_models(bare):
    one = bare / "nvidia" / "gpus" / "0000:01:00.0"
    one.mkdir(parents=True)
    (one / "information").write_text("Model: \t\t NVIDIA L4\nIRQ:   16\n")
    assert find_graphics() == Graphics("nvidia", ("NVIDIA L4",))


def test_amd(bare):
    (bare / "kfd").touch()
    assert find_graphics() == Graphics("amd")


@pytest.mark.parametrize(("machine", "maker"), [("arm64", "apple"), ("x86_64", "")])
def test_apple(bare, monkeypatch, machine, maker):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert find_graphics().maker == maker


def test_settings_that_matter_and_no_others(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("MY_PASSWORD", "secret")
    settings = look_at_computer().settings
    assert settings["KERAS_BACKEND"] == "jax"
    assert "MY_PASSWORD" not in settings


@pytest.mark.parametrize(("value", "hidden"), [("", True), ("-1", True), ("0", False),
                                               (None, False)])
def test_hidden_gpus(monkeypatch, value, hidden):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if value is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert look_at_computer().gpu_hidden is hidden


def test_processors(monkeypatch):
    monkeypatch.setattr(computer.joblib, "cpu_count", lambda: 3)
    monkeypatch.setattr(computer.os, "cpu_count", lambda: 8)
    found = look_at_computer()
    assert (found.processors, found.processors_in_all) == (3, 8)
    assert found.python == platform.python_version()
    assert found.environment == sys.prefix
