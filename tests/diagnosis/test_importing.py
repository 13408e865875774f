"""Packages are imported apart, and whatever they do is told."""

import pytest

from plankton_features.diagnosis import importing
from plankton_features.diagnosis.diagnosis import _must_import
from plankton_features.diagnosis.importing import import_problems
from plankton_features.diagnosis.packages import list_packages


def test_what_this_package_needs_can_be_imported():
    """Under the names that `import_problems` takes for modules."""
    names = [package.name for package in list_packages() if _must_import(package)]
    assert {"h5py", "scikit-learn", "jinja2"} <= set(names)
    assert import_problems(names) == {}


@pytest.mark.parametrize(("code", "problem"), [
    ("raise ImportError('no libhdf5')", "ImportError: no libhdf5"),
    ("raise TypeError('two\\nlines')", "TypeError: two lines"),
    ("import os\nos._exit(7)", "importing it ended the process with code 7"),
    ("raise SystemExit(3)", "importing it ended the process with code 3"),
])
def test_what_cannot_be_imported_is_told(fake_package, code, problem):
    fake_package("h5py", code)
    assert import_problems(["packaging", "h5py", "rich"]) == {"h5py": problem}


def test_a_compiled_part_that_does_not_load_is_told(fake_package):
    folder = fake_package("sklearn", "")
    (folder / "linear_model.py").write_text("raise ImportError('no libgomp')")
    assert import_problems(["scikit-learn"]) == {"scikit-learn": "ImportError: no libgomp"}


def test_an_import_that_hangs_is_ended(fake_package, monkeypatch):
    monkeypatch.setattr(importing, "_LONGEST_SECONDS", 3.0)
    fake_package("h5py", "import time\ntime.sleep(60)")
    assert import_problems(["rich", "h5py"]) == {"h5py": "not imported after 3 s"}
