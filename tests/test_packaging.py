"""The distributions: what they hold and say of themselves, and that the wheel alone works."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from packaging.metadata import Metadata

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "demo" / "images"
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
VERSION = CONFIG["metadata"]["version"]
SDIST_ROOT = f"plankton_features-{VERSION}"
#: What comes with a checkout and belongs to nobody else.
NOT_DISTRIBUTED = {".gitignore"}
#: What setuptools adds.
GENERATED = ("PKG-INFO", "setup.cfg", "plankton_features.egg-info/")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Folder with the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("packaging")
    left_aside = shutil.ignore_patterns(".*_cache", ".git", ".venv", ".coverage*", "__pycache__",
                                        "*.egg-info", "build", "dist", "demo", "mutants", "work")
    shutil.copytree(ROOT, folder / "source", symlinks=True, ignore=left_aside)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist",
         folder / "source"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(distributions):
    """The one wheel."""
    (file,) = distributions.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def sdist(distributions):
    """Files of the one source distribution, relative to its folder."""
    (file,) = distributions.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
    assert all(name.startswith(f"{SDIST_ROOT}/") for name in names)
    return {name.removeprefix(f"{SDIST_ROOT}/") for name in names}


@pytest.fixture(scope="module")
def metadata(wheel):
    """What the wheel says of itself, checked against the standard."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(f"{SDIST_ROOT}.dist-info/METADATA")
    return Metadata.from_email(content, validate=True)


# What they hold


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"{SDIST_ROOT}.dist-info/"
    package = {name for name in names if not name.startswith(info)}
    expected = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("plankton_features/**/*")
                if path.is_file() and path.suffix != ".pyc"}
    assert package == expected
    assert "plankton_features/py.typed" in package
    assert any(name.startswith("plankton_features/report/page/") for name in package)
    assert f"{info}licenses/LICENSE" in names


@pytest.mark.parametrize("name", [
    "LICENSE", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff",
    "Makefile", "pyproject.toml", "setup.cfg", "tests/conftest.py", "benchmarks/extract.py",
    "docs/pictures/report.png", "plankton_features/py.typed",
    "plankton_features/report/page/page.html",
])
def test_the_source_distribution_holds(sdist, name):
    assert name in sdist


def test_the_source_distribution_holds_what_is_in_git_and_no_strays(sdist):
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    own = {name for name in sdist if not name.startswith((*GENERATED, "docs/notebooks/"))}
    assert listed() - NOT_DISTRIBUTED <= own | {"setup.cfg"}
    assert own <= listed("--others", "--exclude-standard")


def listed(*options):
    done = subprocess.run(["git", "ls-files", "--cached", *options], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


# What they say of themselves


def test_metadata(metadata):
    assert metadata.name == "plankton_features"
    assert str(metadata.version) == VERSION
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert str(metadata.requires_python) == ">=3.11"
    assert {"onnx", "notebooks"} <= set(metadata.provides_extra)
    assert len(metadata.summary) < 120


def test_the_readme_is_the_description(metadata):
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description.strip() == (ROOT / "README.md").read_text("utf-8").strip()


def test_every_requirement_has_a_lower_bound(metadata):
    for requirement in metadata.requires_dist:
        bounded = {one.operator for one in requirement.specifier} & {">=", "=="}
        assert bounded or requirement.name == "plankton_features", requirement


# The wheel alone


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the wheel, whose other packages are those of the tests: its scripts."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt")
    paths = {name: Path(sysconfig.get_path(name, "venv", {"base": str(folder)}))
             for name in ("purelib", "scripts")}
    # A folder named in a .pth file is searched; the .pth files in it, as of an editable install
    # of this package, are not.
    others = [path for path in sys.path if Path(path).name == "site-packages"]
    (paths["purelib"] / "others.pth").write_text("\n".join(others), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--no-deps",
         "--no-index", "--ignore-installed", str(wheel)], capture_output=True, text=True,
        check=False)
    assert done.returncode == 0, done.stderr
    return paths["scripts"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A folder to work in, and an empty home."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def call(environment, scratch):
    """Run a program of the environment, elsewhere and without this checkout's code."""

    def run(program, *arguments):
        kept = {name: value for name, value in os.environ.items()
                if name not in ("PYTHONPATH", "KERAS_HOME", "PLANKTON_FEATURES_CACHE")}
        done = subprocess.run(
            [environment / program, *map(str, arguments)], cwd=scratch, capture_output=True,
            text=True, check=False, encoding="utf-8",
            env={**kept, "HOME": str(scratch / "home"), "PYTHONIOENCODING": "utf-8"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_code_is_that_of_the_wheel(call, environment):
    out = call("python", "-c", "import plankton_features; print(plankton_features.__file__)")
    assert Path(out.strip()).is_relative_to(environment.parent)
    assert call("plankton-features", "--version").strip() == VERSION


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.skipif(not IMAGES.is_dir(), reason="make demo/images fetches the images")
def test_the_main_job(call, scratch):
    n_images = sum(path.is_file() for path in IMAGES.rglob("*"))
    out = call("extract-features", IMAGES, "out.h5", "--preset", "fast")
    assert f"{n_images} found = {n_images} written + 0 duplicates + 0 failed" in out
    call("fit-head", "out.h5", "--sampler", "smote", "--folds", "3")
    call("plankton-features", "classify", "out.head", IMAGES, "-o", "predictions.csv")

    results = json.loads((scratch / "out.results.json").read_text(encoding="utf-8"))
    assert results["scores"]["accuracy"]["estimate"] > 0.8
    report = (scratch / "out.report.html").read_text(encoding="utf-8")
    assert report.rstrip().endswith("</html>")
    predictions = pd.read_csv(scratch / "predictions.csv")
    assert len(predictions) == n_images
    assert (predictions["taxon"] == predictions["label"]).mean() > 0.9
    assert (scratch / "home" / ".cache").is_dir() or sys.platform != "linux"
