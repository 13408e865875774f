"""Nothing but files is replaced, and links are followed."""

import numpy as np
import pandas as pd
import pytest

from plankton_features.cli.main import main
from plankton_features.errors import InputError, StoreError
from plankton_features.files.replacing import replacing
from plankton_features.files.targets import check_output, check_target
from plankton_features.files.together import placing
from plankton_features.images.synthetic import make_vignettes
from plankton_features.report.files import write_json, write_predictions
from plankton_features.store import FeatureStore, Plan

KINDS = ["device", "pipe", "socket", "folder"]


def write_text(path):
    with replacing(path, "w") as file:
        file.write("new")


def write_store(path):
    FeatureStore(path, Plan(1, 1), {}, overwrite=True)


def write_set(path):
    with placing([path.with_name("first"), path]) as folder:
        for name in ("first", path.name):
            (folder / name).write_text("new")


WRITERS = [write_text, write_store, write_set, lambda path: write_json({}, path),
           lambda path: write_predictions(pd.DataFrame({"a": np.arange(2)}), path)]


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("write", WRITERS)
def test_what_is_no_file_is_refused_and_stays(odd, tmp_path, write, kind, linked):
    path = odd(kind)
    if linked:
        path = tmp_path / "link"
        path.symlink_to(kind)
    before = path.lstat()
    with pytest.raises(StoreError, match=f"{path}: is a {kind}, expected the name of a file"):
        write(path)
    assert path.lstat() == before
    assert {p.name for p in tmp_path.iterdir()} == {kind, path.name}


@pytest.mark.parametrize("write", [write_text, write_set])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path, write, there):
    (tmp_path / "far").mkdir()
    target, between, link = tmp_path / "far" / "file", tmp_path / "between", tmp_path / "link"
    if there:
        target.write_text("older")
    between.symlink_to("far/file")
    link.symlink_to(between)
    write(link)
    assert target.read_text() == "new"
    assert not target.is_symlink()
    assert link.readlink() == between
    assert [p.name for p in (tmp_path / "far").iterdir()] == ["file"]


def test_a_feature_file_behind_a_link(tmp_path, dump):
    (tmp_path / "far").mkdir()
    link, plain = tmp_path / "out.h5", tmp_path / "plain.h5"
    link.symlink_to("far/real.h5")
    for path in (link, plain):
        with FeatureStore(path, Plan(1, 1), {"recipe": "{}"}) as store:
            assert store.partial.exists()
            store.finish()
    assert link.is_symlink()
    assert dump(link) == dump(plain)
    assert [p.name for p in (tmp_path / "far").iterdir()] == ["real.h5"]


def test_links_that_lead_nowhere(tmp_path):
    circle, lost = tmp_path / "circle", tmp_path / "lost"
    circle.symlink_to("circle")
    lost.symlink_to("nowhere/file")
    for path, why in ((circle, "a link that leads in a circle"),
                      (lost, "a link to .*/nowhere/file: the folder .*nowhere does not exist")):
        with pytest.raises(StoreError, match=f"{path.name}: {why}"):
            check_target(path)
        assert path.is_symlink()


def test_what_is_there(tmp_path):
    path = tmp_path / "a"
    assert check_output(path, overwrite=False) == path
    path.write_text("x")
    assert check_output(path, overwrite=True) == path
    with pytest.raises(InputError, match=r"a: is there already\. Use --overwrite"):
        check_output(path, overwrite=False)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(small_disk):
    folder = small_disk("1m", options=",ro")
    with pytest.raises(StoreError, match=r"a: cannot be written \(Read-only file system\)"):
        check_output(folder / "a", overwrite=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Images, their features and a head."""
    folder = tmp_path_factory.mktemp("world")
    make_vignettes(folder / "in", n_classes=3, n_images=40, imbalance=2)
    assert main(["extract", str(folder / "in"), str(folder / "a.h5"), "--backbone", "pixels",
                 "--quiet"]) == 0
    assert main(["fit", str(folder / "a.h5"), "--folds", "3", "--quiet"]) == 0
    return folder


COMMANDS = ["extract in OUT --backbone pixels", "extract in OUT --backbone pixels --overwrite",
            "extract in OUT --backbone pixels --update", "merge a.h5 a.h5 -o OUT",
            "classify a.head a.h5 -o OUT", "classify a.head in -o OUT --overwrite",
            "classify a.head in -o p.csv --features OUT"]


@pytest.mark.parametrize("kind", ["device", "pipe"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses(world, odd, monkeypatch, capsys, command, kind):
    path, before = odd(kind), sorted(world.iterdir())
    monkeypatch.chdir(world)
    was = path.lstat()
    capsys.readouterr()
    assert main([str(path) if word == "OUT" else word for word in command.split()]) == 1
    assert capsys.readouterr().err == (
        f"error: {path}: is a {kind}, expected the name of a file. Nothing but files is replaced: "
        "choose another name.\n")
    assert path.lstat() == was
    assert sorted(world.iterdir()) == before


@pytest.mark.parametrize("suffix", [".head", ".report.html", ".results.json", ".predictions.csv"])
def test_fit_refuses_each_of_its_files(world, odd, tmp_path, capsys, suffix):
    odd("pipe").rename(tmp_path / f"out{suffix}")
    assert main(["fit", str(world / "a.h5"), "-o", str(tmp_path / "out"), "--overwrite"]) == 1
    assert f"out{suffix}: is a pipe" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == [f"out{suffix}"]


@pytest.mark.parametrize("suffix", [".keras", ".report.html", ".log.csv", ".onnx"])
def test_fine_tune_refuses_each_of_its_files(world, odd, tmp_path, capsys, monkeypatch, suffix):
    monkeypatch.setattr("plankton_features.cli.fine_tune_files.check_exports", lambda _: None)
    odd("pipe").rename(tmp_path / f"out{suffix}")
    assert main(["fine-tune", str(world / "in"), str(tmp_path / "out.keras"), "--export", "onnx",
                 "--overwrite"]) == 1
    assert f"out{suffix}: is a pipe" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == [f"out{suffix}"]
