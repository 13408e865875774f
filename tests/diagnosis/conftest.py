"""What the tests of this room share: engines and packages that are not real."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Nothing is read from, or left in, the folders of whoever runs the tests."""
    monkeypatch.setenv("PLANKTON_FEATURES_CACHE", str(tmp_path / "converted"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture
def fake_package(tmp_path, monkeypatch):
    """Put a package of that name and code before the real one, for child processes too."""

    def write(name: str, code: str) -> Path:
        folder = tmp_path / "fakes"
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(textwrap.dedent(code))
        monkeypatch.setenv("PYTHONPATH", f"{folder}:{_package_folder()}")
        monkeypatch.syspath_prepend(folder)
        return folder / name

    return write


def _package_folder() -> str:
    import plankton_features

    return str(Path(plankton_features.__file__).parents[1])


@pytest.fixture
def without(monkeypatch):
    """Make packages look as if they were not installed."""
    import importlib.util

    real = importlib.util.find_spec

    def hide(*names):
        monkeypatch.setattr(importlib.util, "find_spec",
                            lambda name, *rest: None if name in names else real(name, *rest))
        for name in names:
            monkeypatch.delitem(sys.modules, name, raising=False)

    return hide
