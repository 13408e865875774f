"""Every notebook runs from the first cell to the last, without a warning, and shows what it says.

What must be true at its end is in notebook_checks/, one file for each notebook.
"""

import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from doc_commands import check_commands
from doc_pages import blocks_of
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IMAGES = ROOT / "demo" / "images"
CHECKS = ROOT / "tests" / "notebook_checks"
#: Pictures that a notebook must show at least.
PICTURES = 3
MOST_LINES, MOST_BYTES = 12, 100_000


class ThisPython(AsyncKernelManager):
    """Starts the Python that runs the tests, whatever kernels this machine knows."""

    def format_kernel_cmd(self, extra_arguments=None):
        return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file,
                *(extra_arguments or ())]


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs_of(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def pictures_in(outputs):
    """Outputs that show something other than text and tables."""
    shown = [output.get("data", {}) for output in outputs]
    return [data for data in shown if any(kind.startswith("image/") for kind in data) or re.search(
        r"<svg|<img|bk-|BokehJS", str(data.get("text/html", "")) + " ".join(data))]


@pytest.fixture
def layout(tmp_path):
    """A scratch copy of what a notebook sees: itself in one folder, images in the next."""
    if not IMAGES.is_dir():
        pytest.fail("demo/images is not there. Fetch the demo's vignettes: make demo/images")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "images").symlink_to(IMAGES.resolve(), target_is_directory=True)
    return tmp_path / "notebooks"


@pytest.fixture
def executed(layout, tmp_path, monkeypatch):
    """Run a notebook, then a check in its kernel; returns it with its outputs."""
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))

    def run(path, check=""):
        notebook = read(path)
        notebook.cells.append(nbformat.v4.new_code_cell(check))
        NotebookClient(notebook, timeout=300, kernel_manager_class=ThisPython,
                       resources={"metadata": {"path": str(layout)}}).execute()
        return notebook

    return run


def test_there_are_notebooks_and_they_are_numbered():
    assert NOTEBOOKS
    numbers = [path.name.partition("_")[0] for path in NOTEBOOKS]
    assert numbers == [str(k + 1) for k in range(len(NOTEBOOKS))]


@pytest.mark.parametrize("path", [
    pytest.param(path, marks=[] if path.stem == "1_feature_file_and_map" else [pytest.mark.slow])
    for path in NOTEBOOKS], ids=lambda path: path.stem)
def test_a_notebook_runs_in_silence_and_shows_what_it_says(executed, path):
    check = (CHECKS / f"{path.stem}.py").read_text(encoding="utf-8")
    outputs = outputs_of(executed(path, check))
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert [output.ename for output in outputs if output.output_type == "error"] == []
    assert not [text for output in outputs if "Warning" in (text := output.get("text", ""))]
    assert len(pictures_in(outputs)) >= PICTURES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_what_it_shows(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert outputs_of(notebook) == []
    assert {cell.execution_count for cell in code_cells(notebook)} == {None}
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_each_is_introduced(path):
    cells = read(path).cells
    assert cells[0].source.startswith("# ")
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown"
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_commands_in_the_words_of_a_notebook_are_taken_by_their_parsers(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for block in blocks_of(cell.source):
                assert block.language in ("sh", "text")
                check_commands(block.code)


def test_a_warning_in_a_notebook_would_be_seen(executed, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(
        "import warnings, sys\nwarnings.warn('careful')\nsys.executable")])
    nbformat.write(notebook, tmp_path / "0_loud.ipynb")
    outputs = outputs_of(executed(tmp_path / "0_loud.ipynb"))
    assert [output.name for output in outputs if "careful" in output.get("text", "")] == ["stderr"]
    assert outputs[-1].data["text/plain"] == repr(sys.executable)
