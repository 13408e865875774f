"""The cache of converted networks: used, shared, damaged, or not to be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from plankton_features.embedding import (
    EngineOptions,
    open_engine,
    openvino_cache,
    resolve_weights,
)
from plankton_features.embedding.openvino_cache import cache_folder, converted_network
from plankton_features.embedding.openvino_setup import import_openvino
from plankton_features.errors import EngineError, WeightsError

SIDE = 32  # of the canvases of the engines in `opened`


def test_the_cache_is_where_the_environment_says(own_cache, monkeypatch):
    assert cache_folder() == own_cache
    monkeypatch.delenv("PLANKTON_FEATURES_CACHE")
    assert cache_folder().name == "plankton_features"
    assert cache_folder() != own_cache


RUN = """
import json, sys
import numpy as np
from plankton_features.embedding import EngineOptions, Recipe, open_engine, resolve_weights
recipe = Recipe.from_json(sys.argv[1])
weights = resolve_weights(recipe.backbone, recipe.weights) if sys.argv[3] == "weights" else None
engine = open_engine(recipe, weights, EngineOptions("openvino", batch=3))
np.save(sys.argv[2], engine.submit(np.load(sys.argv[2]))())
print(json.dumps(sorted({name.partition(".")[0] for name, m in sys.modules.items() if m})))
"""


def start_run(recipe, file, weights):
    return subprocess.Popen([sys.executable, "-c", RUN, recipe.to_json(), str(file), weights],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(run):
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    return json.loads(out)


@pytest.mark.tensorflow
def test_a_second_run_needs_no_tensorflow(recipe, opened, draw_canvases, tmp_path):
    canvases = draw_canvases(3, SIDE)
    np.save(tmp_path / "x.npy", canvases)
    modules = finish(start_run(recipe, tmp_path / "x.npy", "none"))
    assert "openvino" in modules
    assert not {"tensorflow", "keras", "openvino_telemetry"} & set(modules)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"),
                                  opened["openvino"].submit(canvases)())


@pytest.mark.slow
@pytest.mark.tensorflow
def test_two_processes_may_convert_at_once(recipe, opened, own_cache, draw_canvases, tmp_path):
    canvases = draw_canvases(3, SIDE)
    files = [tmp_path / f"{i}.npy" for i in range(2)]
    for file in files:
        np.save(file, canvases)
    runs = [start_run(recipe, file, "weights") for file in files]
    for run, file in zip(runs, files, strict=True):
        assert "tensorflow" in finish(run)
        np.testing.assert_array_equal(np.load(file), opened["openvino"].submit(canvases)())
    assert [path.name for path in own_cache.iterdir()] == [openvino_cache._cache_key(recipe)]


def fill_cache(folder, content):
    """Put a whole entry at `folder` without a network."""
    with openvino_cache._installing(folder) as part:
        write_entry(part, content)


def write_entry(part, content):
    for name in openvino_cache._FILES:
        (part / name).write_text(content)
    digests = {n: openvino_cache.file_digest(part / n, "sha256") for n in openvino_cache._FILES}
    description = {"of": "entry", "blocks": [["a", 1]], "digests": digests}
    (part / "description.json").write_text(json.dumps(description))


def test_the_first_of_two_that_convert_at_once_stays(tmp_path):
    folder = tmp_path / "cache" / "entry"
    with openvino_cache._installing(folder) as part:
        fill_cache(folder, "first")
        write_entry(part, "second")
    assert (folder / "network.xml").read_text() == "first"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_conversion_that_fails_leaves_nothing(tmp_path):
    folder = tmp_path / "cache" / "entry"

    def interrupt():
        with openvino_cache._installing(folder) as part:
            write_entry(part, "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert not list(folder.parent.iterdir())


def damage(folder, kind):
    if kind == "a changed byte":
        content = bytearray((folder / "network.bin").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "network.bin").write_bytes(content)
    elif kind == "a missing file":
        (folder / "network.xml").unlink()
    elif kind == "a file in its place":
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        folder.write_text("")
    else:
        (folder / "description.json").write_text(kind)


DAMAGES = ["a changed byte", "a missing file", "a file in its place", "", "null", "{}", "[1]",
           '{"digests": {}, "blocks": []}']


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_entry_is_replaced(tmp_path, kind):
    folder = tmp_path / "cache" / "entry"
    fill_cache(folder, "first")
    assert openvino_cache._is_whole(folder)
    damage(folder, kind)
    assert not openvino_cache._is_whole(folder)
    fill_cache(folder, "second")
    assert openvino_cache._is_whole(folder)
    assert (folder / "network.xml").read_text() == "second"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.tensorflow
def test_a_damaged_network_is_converted_again(recipe, weights, opened, draw_canvases):
    canvases = draw_canvases(3, SIDE)
    expected = opened["openvino"].submit(canvases)()
    folder = converted_network(recipe, None).file.parent
    damage(folder, "a changed byte")
    with pytest.raises(WeightsError, match="no file with random:3"):
        open_engine(recipe, None, EngineOptions("openvino", batch=3))
    engine = open_engine(recipe, weights, EngineOptions("openvino", batch=3))
    np.testing.assert_array_equal(engine.submit(canvases)(), expected)


def test_a_cache_that_cannot_be_written_is_named_before_the_work(recipe, weights, monkeypatch,
                                                                 tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLANKTON_FEATURES_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("plankton_features.embedding.network.build_network", None)
    with pytest.raises(EngineError, match=r"cannot keep the converted.*PLANKTON_FEATURES_CACHE"):
        open_engine(recipe, weights, EngineOptions("openvino"))


@pytest.mark.tensorflow
def test_what_openvino_cannot_convert_is_named(recipe, weights, own_cache, monkeypatch):
    def refuse(network):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(import_openvino(), "convert_model", refuse)
    with pytest.raises(EngineError, match=r"cannot convert .*no such operation.*--engine tensor"):
        open_engine(recipe, weights, EngineOptions("openvino"))
    assert not list(own_cache.iterdir())


@pytest.mark.tensorflow
def test_wrong_weights_stay_wrong_weights(make, own_cache, tmp_path):
    (tmp_path / "text.h5").write_text("not weights")
    found = resolve_weights("mobilenet_v2", str(tmp_path / "text.h5"))
    recipe = make("mobilenet_v2", found.identity, canvas=SIDE)
    with pytest.raises(WeightsError, match="does not hold weights of mobilenet_v2"):
        open_engine(recipe, found, EngineOptions("openvino"))
    assert not list(own_cache.iterdir())


# whom it is believed

@pytest.fixture(params=[0o002, 0o022, 0o077])
def umask(request):
    """What a user's new files are readable and writable for, as systems differ in it."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_what_is_written_is_the_users_own(tmp_path, umask, monkeypatch):
    monkeypatch.setenv("PLANKTON_FEATURES_CACHE", str(tmp_path / "further" / "cache"))
    folder = cache_folder() / "entry"
    fill_cache(folder, "first")
    assert openvino_cache._is_whole(folder)
    assert cache_folder() == folder.parent
    assert not any(path.stat().st_mode & 0o022 for path in (folder.parent, *folder.rglob("*")))


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_in_a_shared_folder_each_user_has_one(own_cache, mode):
    own_cache.mkdir()
    own_cache.chmod(mode)
    assert cache_folder() == own_cache / f"user-{os.getuid()}"
    fill_cache(cache_folder() / "entry", "first")
    assert openvino_cache._is_whole(cache_folder() / "entry")


@pytest.mark.parametrize("place", ["..", ".", "network.bin", "description.json"])
def test_what_others_may_write_to_is_not_believed(tmp_path, place):
    folder = tmp_path / "cache" / "entry"
    fill_cache(folder, "first")
    (folder / place).chmod(0o777)
    assert not openvino_cache._is_whole(folder)


def test_what_others_own_is_not_believed(tmp_path):
    own = list(tmp_path.stat())
    assert openvino_cache._is_own(os.stat_result(own))
    own[4] = 0  # of the administrator
    assert openvino_cache._is_own(os.stat_result(own))
    own[4] = os.getuid() + 1
    assert not openvino_cache._is_own(os.stat_result(own))


def test_a_network_of_other_weights_is_not_believed(tmp_path):
    """Moved in the place of another one, or a link to it."""
    fill_cache(tmp_path / "cache" / "entry", "first")
    other = tmp_path / "cache" / "other"
    other.symlink_to("entry")
    assert not openvino_cache._is_whole(other)
    other.unlink()
    (tmp_path / "cache" / "entry").rename(other)
    assert not openvino_cache._is_whole(other)


@pytest.mark.tensorflow
def test_a_forged_network_in_a_shared_folder_changes_nothing(recipe, weights, opened, own_cache,
                                                             draw_canvases, make):
    """Its digests are right, and the folder is one that all may write to."""
    canvases = draw_canvases(3, SIDE)
    expected = opened["openvino"].submit(canvases)()
    other = make(recipe.backbone, "random:4", canvas=SIDE)
    forged = converted_network(other, resolve_weights(other.backbone, "random:4")).file.parent
    told = json.loads((forged / "description.json").read_text())
    key = openvino_cache._cache_key(recipe)
    (forged / "description.json").write_text(json.dumps({**told, "of": key}))
    forged.rename(forged.with_name(key))
    wrong = open_engine(recipe, None, EngineOptions("openvino", batch=3))
    assert not np.allclose(wrong.submit(canvases)(), expected)  # in a folder of one's own
    own_cache.chmod(0o777)
    with pytest.raises(WeightsError, match="no file with random:3"):
        open_engine(recipe, None, EngineOptions("openvino", batch=3))
    engine = open_engine(recipe, weights, EngineOptions("openvino", batch=3))
    np.testing.assert_array_equal(engine.submit(canvases)(), expected)
