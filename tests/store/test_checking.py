"""Feature files of other programs and of strangers: refused in words, whatever is wrong."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from forging.feature_files import FORGERIES, N, sound

from plankton_features import read_features
from plankton_features.errors import StoreError
from plankton_features.store.checking import check_finite

SEEDS = range(6)


def read_everything(path):
    """All that anybody asks of a feature file."""
    file = read_features(path)
    found = [file.X, file.y, file.paths, file.images, file.failures, file.duplicates,
             file.digests(), file.label_conflicts(), file.count_conflicts(), file.feature_names,
             file.recipe, file.recipe_id, file.take([0, len(file) - 1]), repr(file),
             list(file.iter_blocks(7)), file.contents(), file.groups]
    lengths = {len(column) for column in found[:4]}
    assert lengths == {len(file)}
    return file


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_file_is_refused_in_words(kind, tmp_path):
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = FORGERIES[kind](folder, np.random.default_rng(seed))
        with pytest.raises(StoreError) as error:
            read_everything(path)
        text = str(error.value)
        assert text.startswith(f"{path}: "), text
        assert text.endswith((".", "extract-features imgs/ out.h5")), text
        assert "\n" not in text


def test_what_they_are_made_from_is_read(tmp_path):
    assert len(read_everything(sound(tmp_path / "sound.h5"))) == N


def test_reading_takes_little_memory(tmp_path):
    """In a process that may have 250 MB more than it begins with."""
    paths = []
    for kind in ("packed a thousandfold", "rows never written", "text of a megabyte"):
        folder = tmp_path / kind
        folder.mkdir()
        paths.append(FORGERIES[kind](folder, np.random.default_rng(0)))
    code = ("import resource, sys; from plankton_features import read_features\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "for path in sys.argv[1:]:\n"
            "    try:\n        read_features(path).X\n"
            "    except OSError as error:\n        print(error)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)")
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True,
                          check=True)
    *told, grown = done.stdout.splitlines()
    assert len(told) == 3
    assert int(grown) < 100_000  # kilobytes


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "out.h5")
    with pytest.raises(StoreError, match="is a pipe, socket or device, not a feature file"):
        read_features(tmp_path / "out.h5")


def test_values_that_are_not_finite_are_named(tmp_path):
    path = sound(tmp_path / "out.h5")
    with h5py.File(path, "r+") as raw:
        raw["features"][7, 2] = np.nan
        raw["features"][9, 0] = np.inf
    file = read_features(path)
    assert file.not_finite() == ["кл/7.png", "кл/9.png"]
    for read in (lambda: file.X, lambda: file.take([1, 9]), lambda: list(file.iter_blocks(4))):
        with pytest.raises(StoreError, match=r"the vector of кл/\d.png \(row [79]\)"):
            read()
    assert file.take([0, 8]).shape == (2, 4)


def test_large_values_are_finite():
    """Their sum in float32 is not."""
    largest = np.full((2, 5), np.finfo(np.float32).max, np.float32)
    assert check_finite(largest).all()
    largest[1, 3] = -np.inf
    largest[1, 2] = np.inf
    assert check_finite(largest).tolist() == [True, False]


def test_text_and_numbers_as_other_programs_write_them(tmp_path):
    """Attributes as bytes or arrays of one, other whole numbers, other byte order, packed."""
    path = sound(tmp_path / "out.h5")
    before = read_features(path)
    X, y = before.X, before.y.tolist()
    with h5py.File(path, "r+") as raw:
        for name in ("recipe", "recipe_id", "feature_blocks", "format"):
            raw.attrs[name] = np.array([raw.attrs[name].encode()])
        raw.attrs["format_version"] = np.array([1], np.int32)
        raw.attrs["complete"] = 1
        for name, dtype in (("duplicates/row", ">i4"), ("images/width", "u2")):
            values = raw[name][:].astype(dtype)
            del raw[name]
            raw[name] = values
        del raw["features"]
        raw.create_dataset("features", data=X.astype(">f4"), compression="gzip", shuffle=True)
    after = read_everything(path)
    np.testing.assert_array_equal(after.X, X)
    assert after.X.dtype == np.float32
    assert after.y.tolist() == y


@pytest.mark.parametrize("name", ["format", "format_version", "complete"])
@pytest.mark.parametrize("value", [np.arange(3), h5py.Empty("f8")])
def test_arrays_for_what_a_file_is(tmp_path, name, value):
    path = sound(tmp_path / "x.h5")
    with h5py.File(path, "r+") as raw:
        raw.attrs[name] = value
    with pytest.raises(StoreError, match=rf"attribute {name} is (an array|Empty).*, expected"):
        read_features(path)


def test_facts_that_another_program_leaves_out_are_empty_or_counted(tmp_path):
    path = sound(tmp_path / "x.h5")
    with h5py.File(path, "r+") as raw:
        facts = set(raw.attrs) - {"format", "format_version", "complete", "recipe",
                                  "feature_blocks"}
        for name in facts:
            del raw.attrs[name]
        raw.attrs["batch"] = 32.0  # as R writes it
    file = read_everything(path)
    told = file.attributes
    assert (told["engine"], told["precision"], told["weights_source"]) == ("", "", "")
    assert told["n_found"] == sum(map(file.count, ("images", "failures", "duplicates")))
    assert isinstance(told["batch"], int)
