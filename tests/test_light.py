"""The light installation: what `light.txt` names is enough to fit, classify and report."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from plankton_features import extract, make_recipe
from plankton_features.embedding import EngineOptions, open_engine
from plankton_features.images import build_catalog

ROOT = Path(__file__).parents[1]
LINES = [line for line in (ROOT / "light.txt").read_text("utf-8").splitlines()
         if line and not line.startswith("#")]
#: Hides packages as if they were not installed, then runs a command.
PROGRAM = """
import sys
from importlib.machinery import PathFinder
HIDDEN = set(sys.argv.pop(1).split(","))
class Seen(PathFinder):
    @classmethod
    def find_spec(cls, name, *rest):
        return None if name.split(".")[0] in HIDDEN else super().find_spec(name, *rest)
sys.meta_path[sys.meta_path.index(PathFinder)] = Seen
from plankton_features.cli.main import main
sys.exit(main())
"""


def with_their_own(names):
    """Packages and all that they need."""
    found, open_ = set(), list(names)
    while open_:
        name = canonicalize_name(open_.pop())
        if name not in found:
            found.add(name)
            needed = [Requirement(text) for text in requires(name) or ()]
            open_ += [one.name for one in needed
                      if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture(scope="module")
def hidden():
    """Modules of packages that the light installation has not."""
    allowed = with_their_own(Requirement(line).name for line in LINES) | {"plankton-features"}
    modules = packages_distributions()
    return {module for module, names in modules.items()
            if not allowed & {canonicalize_name(name) for name in names}}


@pytest.fixture(scope="module")
def features(tmp_path_factory, make_vignettes):
    root = tmp_path_factory.mktemp("light")
    recipe, _, _ = make_recipe(backbone="pixels", canvas=16, views="none", pooling=("avg",))
    extract(build_catalog(make_vignettes(root / "imgs", 90)), recipe,
            open_engine(recipe, None, EngineOptions(batch=8)), root / "out.h5",
            notes={"images": str(root / "imgs")})
    shutil.copy(root / "out.h5", root / "b.h5")
    return root / "out.h5"


@pytest.fixture(scope="module")
def call(hidden):
    """Run a command without the hidden modules: its exit code and what it said."""

    def run(*arguments):
        done = subprocess.run([sys.executable, "-c", PROGRAM, ",".join(hidden),
                               *map(str, arguments)], capture_output=True, text=True, check=False,
                              encoding="utf-8")
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_large_packages_are_left_out(hidden):
    assert {"tensorflow", "keras", "openvino", "skimage", "onnx"} <= hidden
    assert not {"numpy", "sklearn", "pandas", "PIL", "h5py", "dateutil"} & hidden


def test_bounds_are_those_of_the_whole_installation():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    assert set(LINES) <= set(config["options"]["install_requires"].splitlines())


def test_fit_classify_info_merge_and_report(call, features, tmp_path):
    for command in (("fit", features, "-o", tmp_path / "out", "--sampler", "smote", "--floor",
                     "40", "--folds", "3"),
                    ("classify", tmp_path / "out.head", features, "-o", tmp_path / "new.csv"),
                    ("info", features),
                    ("merge", features, features.with_name("b.h5"), "-o", tmp_path / "both.h5",
                     "--prefix")):
        code, said = call(*command)
        assert code == 0, said
    page = (tmp_path / "out.report.html").read_text(encoding="utf-8")
    assert "data:image" in page  # thumbnails
    assert (tmp_path / "new.csv").stat().st_size > 1000


@pytest.mark.parametrize("command", [
    ("extract", "{images}", "{new}/out.h5", "--preset", "fast"),
    ("extract", "{images}", "--dry-run", "--preset", "fast"),
    ("fine-tune", "{images}", "{new}/model.keras", "--backbone", "efficientnet_lite0"),
    ("extract", "--list-layers", "--backbone", "inception_v3"),
], ids=lambda command: " ".join(command[::3]))
def test_what_needs_a_network_says_what_to_install(call, features, tmp_path, command):
    images = features.parent / "imgs"
    code, said = call(*(part.format(images=images, new=tmp_path) for part in command))
    assert code == 1
    assert said.count("error: ") == 1
    assert re.search("pip install .*(openvino efficientnet-lite0|tensorflow)", said)
    assert "Traceback" not in said
    assert "unexpected" not in said
    assert not list(tmp_path.glob("*.h5*"))


def test_the_program_hides_what_it_should(hidden):
    """Or nothing above would prove anything."""
    done = subprocess.run([sys.executable, "-c", PROGRAM.split("from plankton")[0]
                           + "import tensorflow", ",".join(hidden)], capture_output=True,
                          text=True, check=False)
    assert "No module named 'tensorflow'" in done.stderr
    assert np.__name__ not in hidden
