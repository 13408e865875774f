"""A backbone and an engine of another package: they extract, verify and are shown, as our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from plugins import write_plugins

import plankton_features
from plankton_features import read_features
from plankton_features.cli.display import console
from plankton_features.diagnosis import EngineTrial, diagnose, diagnosis
from plankton_features.diagnosis.apart import try_apart
from plankton_features.embedding import (
    Backbone,
    EngineEntry,
    EngineOptions,
    Recipe,
    engine_names,
    open_engine,
    register_backbone,
    register_engine,
)
from plankton_features.embedding.backbones import BACKBONES
from plankton_features.embedding.engine_entry import ENGINES
from plankton_features.embedding.engines import choose_engine
from plankton_features.errors import EngineError, PluginError
from plankton_features.extraction.session import continue_session

SOURCE = '''
import numpy as np
from plankton_features.embedding import (Backbone, EngineEntry, default_batch, make_views,
                                         pool_arrays, vector_blocks)
class Grey:
    name, precision, device, depth = "plain", "float32", "CPU", 1
    def __init__(self, recipe, batch):
        self.recipe, self.batch = recipe, batch
        self.blocks = vector_blocks(recipe.layers, [1], recipe.pooling, recipe.spp_levels)
    def submit(self, canvases):
        views = np.concatenate(make_views(canvases, self.recipe.views, np))
        vectors = pool_arrays([views.mean(axis=3, keepdims=True, dtype=np.float32)], self.recipe)
        return lambda: vectors
class Plain(EngineEntry):
    name, title, kinds = "plain", "Plain NumPy", ("picture",)
    def open(self, recipe, weights, options):
        return Grey(recipe, options.batch or default_batch(recipe))
PLAIN = Plain()
GREY = Backbone("grey", "none", "grey", channels=1, canvas=16, min_canvas=8, kind="picture",
                has_weights=False, description="the grey picture", licence="MIT")
'''
RECIPE = Recipe("grey", "none", ("grey",), canvas=16, normalization="none", pooling=("avg", "spp"),
                spp_levels=(2,))


@pytest.fixture(scope="session")
def other_package(tmp_path_factory):
    """The folder of an installed package that offers `SOURCE`."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "plain_numpy.py").write_text(SOURCE)
    write_plugins(folder, "plankton_features.engines",
                  {"plain": "from plain_numpy import PLAIN as ENTRY"})
    return write_plugins(folder, "plankton_features.backbones",
                         {"grey": "from plain_numpy import GREY as ENTRY"})


@pytest.fixture
def installed(other_package, monkeypatch):
    """Let this process, and those that it starts, see the package."""
    folders = [str(other_package), str(Path(plankton_features.__file__).parents[1])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    monkeypatch.syspath_prepend(other_package)
    yield
    for registry in (ENGINES, BACKBONES):
        registry._loaded.clear()


def command(*options, folder=None, **environment):
    """Run a command as its users do: (exit code, standard output, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "plankton_features", *map(str, options)], capture_output=True,
        text=True, check=False, cwd=folder, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100", **environment})
    return done.returncode, done.stdout, done.stderr


def without_plugin():
    return {"PYTHONPATH": str(Path(plankton_features.__file__).parents[1])}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two taxa of eight square vignettes of 16 pixels, which fill the canvas as they are."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for taxon, least in (("dark", 0), ("light", 100)):
        (root / taxon).mkdir()
        for i in range(8):
            pixels = rng.integers(least, least + 100, (16, 16)).astype(np.uint8)
            Image.fromarray(pixels).save(root / taxon / f"{i}.png")
    return root


def extract(images, output, *options):
    return command("extract", images, output, "--backbone", "grey", "--pooling", "avg,spp",
                   "--spp-levels", "2", *options)


def test_they_extract_and_verify(installed, images, tmp_path):
    code, out, err = extract(images, tmp_path / "out.h5", "--engine", "plain", "--preset", "best")
    assert code == 0, out + err
    features = read_features(tmp_path / "out.h5")
    assert features.attributes["engine"] == "plain"
    pixels = np.stack([np.asarray(Image.open(images / path)) for path in features.paths])
    np.testing.assert_allclose(features.X[:, 0], pixels.mean(axis=(1, 2)), rtol=1e-6)
    assert "Plain NumPy, float32, CPU" in out
    code, out, err = command("verify", tmp_path / "out.h5", images)
    assert code == 0, out + err


def test_auto_takes_the_one_that_runs_the_network(installed, images, tmp_path):
    code, out, err = extract(images, tmp_path / "out.h5")
    assert code == 0, out + err
    assert read_features(tmp_path / "out.h5").attributes["engine"] == "plain"


def test_an_engine_that_cannot_run_the_network_is_refused(installed, images, tmp_path):
    code, _, err = extract(images, tmp_path / "out.h5", "--engine", "openvino")
    assert code == 1
    assert "engine openvino: cannot run grey. Use --engine plain." in err
    with pytest.raises(EngineError, match="engine plain: cannot run pixels"):
        choose_engine("plain", BACKBONES.get("pixels"))


def test_numbers_that_an_engine_lacks_are_refused(installed):
    from dataclasses import replace

    with pytest.raises(EngineError, match="plain: computes in float32, asked for bfloat16"):
        open_engine(replace(RECIPE, precision="bfloat16"), None)


def test_a_network_that_no_engine_runs_is_refused(monkeypatch):
    monkeypatch.setitem(BACKBONES._built_in, "alone", Backbone(
        "alone", "none", "x", 1, 16, 8, kind="cubes", has_weights=False))
    with pytest.raises(EngineError, match="backbone alone: no engine runs networks of its kind"):
        choose_engine("auto", BACKBONES.get("alone"))


def test_they_are_listed(installed):
    code, out, _ = command("extract", "--list-backbones")
    assert code == 0
    assert ["grey", "none", "16", "1"] in [line.split()[:4] for line in out.splitlines()]
    assert "grey: the grey picture; MIT" in out
    assert "{auto,tensorflow,openvino,plain}" in command("extract", "--help")[1]
    assert "grey: the" not in command("extract", "--list-backbones", **without_plugin())[1]


def test_an_entry_point_is_tried_apart(installed):
    trial = try_apart("plain")
    assert trial.works
    assert trial.tried_with == "backbone grey"
    assert len(trial.vector) == 1


@pytest.mark.slow
@pytest.mark.tensorflow
def test_doctor_shows_the_engine(installed, tmp_path):
    code, out, err = command("doctor", PLANKTON_FEATURES_CACHE=str(tmp_path),
                             KERAS_HOME=str(tmp_path))
    assert code == 0, out + err
    assert "✓  Plain NumPy on CPU, tried in" in out
    assert "with backbone grey" in out
    assert "both give the same vector" in out
    assert "--engine auto takes OpenVINO" in out
    _, out, _ = command("doctor", "--json", "--quick")
    values = json.loads(out)
    assert [one["engine"] for one in values["engines"]] == ["openvino", "tensorflow", "plain"]
    assert values["plugins"] == []


@pytest.mark.parametrize(("code", "problem"), [
    ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
    ("import os; os._exit(3)", "importing it ended the process with code 3"),
    ("ENTRY = 3", "expected EngineEntry, got int"),
    ("raise SystemExit", "importing it ended the process with code 0"),
])
def test_an_engine_that_cannot_be_loaded_is_a_line_of_doctor(tmp_path, code, problem):
    folder = write_plugins(tmp_path, "plankton_features.engines", {"broken": code})
    path = os.pathsep.join([str(folder), without_plugin()["PYTHONPATH"]])
    got, out, err = command("doctor", "--quick", PYTHONPATH=path)
    assert got == 0, out + err
    assert f"!  engine broken of the package plankton-test cannot be used: {problem}" in out
    assert "python -m pip install --upgrade plankton-test" in out
    assert "openvino" in out.lower()


def test_a_backbone_that_cannot_be_loaded_is_told_where_it_is_asked_for(tmp_path, images):
    folder = write_plugins(tmp_path, "plankton_features.backbones", {"broken": "1 / 0"})
    environment = {"PYTHONPATH": os.pathsep.join([str(folder), without_plugin()["PYTHONPATH"]])}
    code, out, _ = command("extract", "--list-backbones", **environment)
    assert code == 0
    assert "Cannot be loaded: broken. plankton-features doctor says why." in out
    code, _, err = command("extract", images, tmp_path / "out.h5", "--backbone", "broken",
                           **environment)
    assert code == 1
    assert "the package plankton-test does not give it (ZeroDivisionError: division by zero)" in err
    assert command("extract", images, tmp_path / "out.h5", "--backbone", "pixels",
                   **environment)[0] == 0


# A file whose backbone is not known here


@pytest.fixture
def foreign(installed, images, tmp_path, monkeypatch):
    """A feature file of the package's backbone, where the package is gone."""
    assert extract(images, tmp_path / "out.h5")[0] == 0
    (tmp_path / "more").mkdir()
    Image.new("L", (16, 16)).save(tmp_path / "more" / "new.png")
    assert extract(tmp_path / "more", tmp_path / "more.h5")[0] == 0
    monkeypatch.setenv("PYTHONPATH", without_plugin()["PYTHONPATH"])
    return tmp_path / "out.h5"


def test_what_needs_no_network_works_without_the_backbone(foreign, tmp_path, images):
    code, out, err = command("info", foreign)
    assert code == 0, err
    assert "grey" in out
    code, _, err = command("merge", foreign, tmp_path / "more.h5", "-o", tmp_path / "two.h5")
    assert code == 0, err
    assert len(read_features(tmp_path / "two.h5")) == 17
    code, _, err = command("fit", foreign, "--folds", "3", "--seed", "1")
    assert code == 0, err
    head = next(foreign.parent.glob("*.head"))
    code, _, err = command("classify", head, foreign, "-o", tmp_path / "p.csv")
    assert code == 0, err
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 17


@pytest.mark.parametrize("what", ["verify", "extract", "update"])
def test_what_needs_the_network_says_that_it_is_not_here(foreign, images, tmp_path, what):
    before = foreign.read_bytes()
    options = {"verify": ("verify", foreign, images),
               "extract": ("extract", images, foreign),
               "update": ("extract", tmp_path / "more", foreign, "--update")}[what]
    code, _, err = command(*options)
    assert code == 1
    assert "backbone 'grey' is not known. Choose one of: inception_v3" in err
    assert "Traceback" not in err
    assert foreign.read_bytes() == before


# Registered by a call


@pytest.fixture
def called():
    """The same, registered by calls; taken back afterwards."""
    names = {}
    exec(compile(SOURCE, "source", "exec"), names)
    register_engine(names["PLAIN"])
    register_backbone(names["GREY"])
    yield names
    for registry in (ENGINES, BACKBONES):
        registry._called.clear()


def test_a_call_registers_for_this_process(called):
    assert engine_names() == ["tensorflow", "openvino", "plain"]
    canvases = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    engine = open_engine(RECIPE, None, EngineOptions("plain", batch=2))
    got = engine.submit(canvases)()
    grey = canvases.mean(axis=3)
    np.testing.assert_allclose(got[:, 0], grey.mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(got[:, 1], grey[:, :8, :8].max(axis=(1, 2)), rtol=1e-6)


def test_a_file_is_continued_with_its_own_engine(called):
    class Eager(called["Plain"]):
        name, priority = "eager", 90

    register_engine(Eager())
    header = {"recipe": RECIPE.to_json(), "engine": "plain", "batch": 4}
    assert continue_session(header).options.engine == "plain"
    assert continue_session({**header, "engine": "gone"}).options.engine == "auto"
    assert choose_engine("auto", BACKBONES.get("grey")) == "eager"


def test_what_a_call_registered_is_tried_here_and_shown(called, monkeypatch):
    from plankton_features.cli.doctor_text import show

    monkeypatch.setattr(diagnosis, "try_apart", EngineTrial)
    found = diagnose()
    assert found.engines[2].works
    assert found.engines[2].tried_with == "backbone grey"
    with console.capture() as capture:
        show(found)
    assert "Plain NumPy on CPU" in capture.get()


def test_an_engine_without_a_backbone_is_told(called, monkeypatch):
    from plankton_features.diagnosis.trying import try_here

    BACKBONES._called.clear()
    trial = try_here("plain")
    assert (trial.failure, trial.problem) == ("run", "no backbone is known that it runs")


def test_an_engine_of_keras_networks_is_compared_with_the_others(called):
    class Copy(EngineEntry):
        name, priority = "copy", 90

        def open(self, recipe, weights, options):
            raise EngineError("not today")

    register_engine(Copy())
    assert choose_engine("auto") == "copy"
    assert choose_engine("auto", BACKBONES.get("grey")) == "plain"


def test_an_entry_point_that_fails_is_an_error_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(write_plugins(
        tmp_path, "plankton_features.engines", {"late": "raise OSError('no driver')"}))
    try:
        with pytest.raises(PluginError, match=r"engine 'late'.*OSError: no driver"):
            open_engine(Recipe("efficientnet_lite0", "random:0", ("top",), canvas=32,
                               normalization="lite"), None, EngineOptions("late"))
    finally:
        ENGINES._problems.clear()
