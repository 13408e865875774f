"""Processors, memory, disk, graphics drivers and settings."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import joblib

from plankton_features.machine import available_memory, total_memory

#: Environment variables that change how networks run or where their files lie.
SETTINGS = ("CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "KERAS_HOME", "PLANKTON_FEATURES_CACHE",
            "OMP_NUM_THREADS", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_ALLOW_GROWTH")
_NVIDIA = Path("/proc/driver/nvidia")
_AMD = Path("/dev/kfd")
_SECONDS_FOR_SMI = 20


@dataclass(frozen=True)
class Graphics:
    """A maker's GPUs as their driver tells, whether or not an engine can use them.

    Attributes
    ----------
    maker : str
        ``nvidia``, ``amd``, ``apple``, or empty if there is none.
    names : tuple of str
    driver : str
        Version of the driver, empty where it is not known.
    """

    maker: str = ""
    names: tuple[str, ...] = ()
    driver: str = ""


@dataclass(frozen=True)
class Computer:
    """The machine, as far as it matters here.

    Attributes
    ----------
    system : str
        Operating system and kind of processor.
    python : str
        Version of Python.
    environment : str
        Folder of the Python environment.
    processors, processors_in_all : int
        Those that this process may use, and those of the machine.
    memory, memory_in_all : int or None
        Bytes; None where the system does not say.
    graphics : Graphics
    settings : dict of str to str
        Those of `SETTINGS` that are set.
    """

    system: str
    python: str
    environment: str
    processors: int
    processors_in_all: int
    memory: int | None
    memory_in_all: int | None
    graphics: Graphics
    settings: dict[str, str]

    @property
    def gpu_hidden(self) -> bool:
        """Whether a setting hides the GPUs from programs."""
        return self.settings.get("CUDA_VISIBLE_DEVICES") in ("", "-1")


def look_at_computer() -> Computer:
    """Gather what the operating system tells."""
    return Computer(
        system=platform.platform(terse=True) + " " + platform.machine(),
        python=platform.python_version(), environment=sys.prefix,
        processors=joblib.cpu_count(), processors_in_all=os.cpu_count() or 1,
        memory=available_memory(), memory_in_all=total_memory(), graphics=find_graphics(),
        settings={name: os.environ[name] for name in SETTINGS if name in os.environ},
    )


def find_graphics() -> Graphics:
    """GPUs of which there is a driver; of several makers the first of NVIDIA, AMD, Apple."""
    if shutil.which("nvidia-smi") and (found := _ask_nvidia()):
        return found
    if _NVIDIA.exists():
        return Graphics("nvidia", _nvidia_models())
    if _AMD.exists():
        return Graphics("amd")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Graphics("apple")
    return Graphics()


def _ask_nvidia() -> Graphics | None:
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=_SECONDS_FOR_SMI, check=True)
    except (OSError, subprocess.SubprocessError):  # a tool without a driver, or one that hangs
        return None
    rows = [line.rpartition(",") for line in done.stdout.splitlines() if "," in line]
    if not rows:
        return None
    return Graphics("nvidia", tuple(name.strip() for name, _, _ in rows), rows[0][2].strip())


def _nvidia_models() -> tuple[str, ...]:
    texts = [file.read_text(encoding="utf-8") for file in _NVIDIA.glob("gpus/*/information")]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("Model:")]
    return tuple(line.partition(":")[2].strip() for line in lines)
