"""A file that is none of ours is called what it is, by its content and not by its name."""

import sqlite3
from contextlib import closing
from zipfile import ZipFile

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features import read_features
from plankton_features.cli.main import main
from plankton_features.errors import StoreError
from plankton_features.files.kinds import kind_of


def image(kind):
    return lambda path: Image.new("L", (5, 4)).save(path, kind)


def zipped(name):
    def write(path):
        with ZipFile(path, "w") as archive:
            archive.writestr(name, "{}")
    return write


def database(path):
    with closing(sqlite3.connect(path)) as base:
        base.execute("create table images (path)")
        base.commit()


def hdf5(names=(), attributes=(), userblock=b""):
    def write(path):
        with h5py.File(path, "w", userblock_size=512 if userblock else 0) as file:
            for name in names:
                file[name] = np.zeros(3)
            for name in attributes:
                file.attrs[name] = "2.0"
        if userblock:
            with path.open("r+b") as file:
                file.write(userblock)
    return write


def array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros((3, 4)))


def arrays(path):
    with path.open("wb") as file:
        np.savez(file, X=np.zeros((3, 4)))


KINDS = [
    (array, "a NumPy array"), (arrays, "NumPy arrays (.npz)"),
    (lambda path: pd.DataFrame({"path": ["é.png"]}).to_csv(path), "a text file"),
    (lambda path: path.write_bytes(b""), "an empty file"),
    (lambda path: path.mkdir(), "a folder"),
    (image("PNG"), "an image (PNG)"), (image("JPEG"), "an image (JPEG)"),
    (image("TIFF"), "an image (TIFF)"), (image("BMP"), "an image (BMP)"),
    (image("GIF"), "an image (GIF)"), (image("WEBP"), "an image (WebP)"),
    (zipped("model.weights.h5"), "a Keras network"), (zipped("manifest.json"), "a head file"),
    (zipped("xl/workbook.xml"), "an Excel workbook"), (zipped("imgs/a.png"), "a zip file"),
    (lambda path: path.write_bytes(b"PK\x03\x04 cut"), "a zip file that is cut short"),
    (lambda path: path.write_bytes(b"\x80\x04\x95" + bytes(9)), "a Python pickle"),
    (database, "an SQLite database"),
    (lambda path: path.write_bytes(b"CDF\x02" + bytes(60)), "a netCDF file"),
    (lambda path: path.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(500)), "a MATLAB file"),
]
HDF5_KINDS = [
    (hdf5(["temperature"], ["_NCProperties"]), "a netCDF file"),
    (hdf5(["model_weights"], ["keras_version"]), "a Keras network"),
    (hdf5(["layers", "_layer_checkpoint_dependencies"]), "a Keras network"),
    (hdf5(["table"], ["PYTABLES_FORMAT_VERSION"]), "a table of pandas or PyTables"),
    (hdf5(["x", "#refs#"], userblock=b"MATLAB 7.3 MAT-file"), "a MATLAB file"),
]


@pytest.mark.parametrize(("write", "kind"), KINDS)
def test_a_file_is_called_what_it_is(write, kind, tmp_path):
    path = tmp_path / "x.h5"
    write(path)
    assert kind_of(path) == kind
    with pytest.raises(StoreError) as error:
        read_features(path)
    assert str(error.value) == (f"{path}: is {kind}, not a feature file. extract-features makes "
                                "one of images: extract-features imgs/ out.h5")


@pytest.mark.parametrize(("write", "kind"), HDF5_KINDS)
def test_hdf5_files_of_other_programs_are_named(write, kind, tmp_path):
    write(tmp_path / "x.h5")
    with pytest.raises(StoreError, match=rf"x\.h5: is {kind} \(HDF5\), not a feature file"):
        read_features(tmp_path / "x.h5")


@pytest.mark.parametrize("command", ["info {}", "fit {}", "merge {} {} -o {}.out", "verify {} {}"])
def test_every_command_says_it(command, tmp_path, capsys):
    array(tmp_path / "x.npy")
    before = sorted(tmp_path.iterdir())
    assert main(command.replace("{}", str(tmp_path / "x.npy")).split()) == 1
    told = capsys.readouterr().err
    assert "x.npy: is a NumPy array, not a feature file. extract-features makes one" in told
    assert len(told.strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before
