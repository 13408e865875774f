import hashlib

import h5py
import numpy as np
import pytest

from plankton_features import merge_files, read_features
from plankton_features.errors import InputError, MismatchError
from plankton_features.store import Block, FeatureStore, Plan

NOTES = {"weights_source": "none", "feature_blocks": '[["thumbnail_avg", 1]]'}


def digest_of(recipe):
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


@pytest.fixture
def make(tmp_path):
    """Write a file: name, [(path, label, content)], further -> path. Vectors are the contents."""

    def write(name, rows, failures=(), again=(), recipe='{"backbone":"pixels"}', engine="numpy"):
        paths, labels, contents = zip(*rows, strict=True) if rows else ((), (), ())
        plan = Plan(len(rows), 1, text_bytes={"path": 20, "label": 9, "group": 3, "id": 3})
        header = {"recipe": recipe, "engine": engine, "precision": "float32"}
        with FeatureStore(tmp_path / name, plan, header,
                          notes={**NOTES, "recipe_id": digest_of(recipe)}) as store:
            store.append(Block(
                np.array(contents, np.float32).reshape(-1, 1),
                {"path": paths, "label": labels, "group": ["g"] * len(rows),
                 "sha256": [f"{c:064x}" for c in contents], "position": range(len(rows))},
                {"path": failures, "reason": ["bad"] * len(failures),
                 "position": [len(rows)] * len(failures)},
                {"path": [a[0] for a in again], "label": [a[1] for a in again],
                 "row": [a[2] for a in again], "position": [len(rows)] * len(again)}))
            store.finish({"n_found": len(rows) + len(failures) + len(again)})
        return tmp_path / name

    return write


@pytest.fixture
def output(tmp_path):
    return tmp_path / "merged.h5"


def test_one_picture_keeps_its_first_row(make, output):
    a = make("a.h5", [("a/1", "x", 1), ("a/2", "x", 2)], ["a/bad"], [("a/3", "x", 1)])
    b = make("b.h5", [("b/2", "y", 2), ("b/4", "y", 4), ("b/1", "x", 1)], ["b/bad"],
             [("b/5", "z", 1), ("b/6", "y", 0)])
    merged = merge_files([a, b], output)
    assert merged.paths.tolist() == ["a/1", "a/2", "b/4"]
    assert merged.X[:, 0].tolist() == [1, 2, 4]
    assert merged.y.tolist() == ["x", "x", "y"]
    assert merged.failures["path"].tolist() == ["a/bad", "b/bad"]
    first = dict(zip(merged.duplicates["path"], merged.duplicates["row"], strict=True))
    assert first == {"a/3": 1, "b/2": 1, "b/1": 0, "b/5": 2, "b/6": 1}
    assert merged.attributes["n_found"] == 10 == 3 + 2 + 5
    assert merged.attributes["merged_from"] == '["a.h5", "b.h5"]'
    conflicts = merged.label_conflicts()
    assert dict(zip(conflicts["path"], conflicts["first_path"], strict=True)) == {
        "b/2": "a/2", "b/5": "b/4", "b/6": "a/2"}


def test_merging_in_steps_is_merging_at_once(make, output, tmp_path, dump):
    files = [make(f"{n}.h5", [(f"{n}/{c}", "x", c) for c in range(s, s + 5)], [f"{n}/bad"])
             for n, s in zip("abc", (0, 3, 6), strict=True)]
    at_once = merge_files(files, output)
    step = merge_files(files[:2], tmp_path / "step.h5")
    in_steps = merge_files([step.path, files[2]], tmp_path / "steps.h5")
    assert in_steps.X.tolist() == at_once.X.tolist()
    assert in_steps.images.equals(at_once.images)
    assert sorted(in_steps.duplicates["path"]) == sorted(at_once.duplicates["path"])


def test_many_blocks(make, output, monkeypatch):
    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 12)
    a = make("a.h5", [(f"a/{c}", "x", c) for c in range(20)])
    b = make("b.h5", [(f"b/{c}", "x", c) for c in range(0, 40, 3)])
    merged = merge_files([a, b], output)
    assert merged.X[:, 0].tolist() == [*range(20), 21, 24, 27, 30, 33, 36, 39]
    assert len(merged.duplicates) == 7


def test_files_with_nothing_but_failures(make, output):
    merged = merge_files([make("a.h5", [], ["a/bad"]), make("b.h5", [], ["b/bad"])], output)
    assert merged.shape == (0, 1)
    assert len(merged.failures) == 2


def test_clashing_paths_and_the_prefix(make, output):
    a, b = make("a.h5", [("1", "x", 1)], ["bad"]), make("b.h5", [("1", "x", 2)], ["bad"])
    with pytest.raises(InputError, match=r"2 paths are in more than one file.*--prefix"):
        merge_files([a, b], output)
    merged = merge_files([a, b], output, prefix=True)
    assert merged.paths.tolist() == ["a/1", "b/1"]
    assert merged.failures["path"].tolist() == ["a/bad", "b/bad"]


@pytest.mark.parametrize(("prefix", "first", "way_out"), [
    (False, "1", "Add --prefix to put the name of its file before each path."),
    (True, "a/1", "Rename one of the files.")])
def test_clashes_are_told_with_a_way_out(make, output, prefix, first, way_out):
    a = make("a.h5", [("1", "x", 1), ("only here", "x", 4)])
    (a.parent / "sub").mkdir()
    with pytest.raises(InputError) as error:
        merge_files([a, make("sub/a.h5", [("2", "x", 3)], ["1"])], output, prefix=prefix)
    assert str(error.value) == ("merge: 1 paths are in more than one file, the first is "
                                f"'{first}'. {way_out}")


def test_different_recipes_show_their_fields(make, output):
    a = make("a.h5", [("1", "x", 1)])
    b = make("b.h5", [("2", "x", 2)], recipe='{"backbone":"pixels","canvas":64}')
    with pytest.raises(MismatchError) as error:
        merge_files([a, b], output)
    assert str(error.value) == (
        f"{b}: made with another recipe than {a}. These differ:\n"
        "  canvas: found the default, asked for 64\n"
        "Vectors of different recipes do not compare: extract one of them again.")
    assert not output.exists()


def test_engines_are_named_together(make, output):
    files = [make("a.h5", [("1", "x", 1)]), make("b.h5", [("2", "x", 2)], engine="openvino")]
    assert merge_files(files, output).attributes["engine"] == "numpy+openvino"


def test_what_is_there_is_kept(make, output):
    a, b = make("a.h5", [("1", "x", 1)]), make("b.h5", [("2", "x", 2)])
    with pytest.raises(InputError, match=r"is one of the files to merge\. Choose another name\.$"):
        merge_files([a, b], a, overwrite=True)
    with pytest.raises(InputError, match=r"^merge: expected two feature files or more, got 1\.$"):
        merge_files([a], output)
    unfinished = output.with_name("merged.h5.partial")
    unfinished.write_text("hours of work")
    with pytest.raises(InputError, match=r"merged.h5.partial: exists already.*--overwrite"):
        merge_files([a, b], output)
    assert len(merge_files([a, b], output, overwrite=True)) == 2
    assert not unfinished.exists()
    with pytest.raises(InputError, match=r"exists already\. Choose another name, or add --over"):
        merge_files([a, b], output)
    assert len(merge_files([b, a], output, overwrite=True)) == 2
    assert read_features(output).paths.tolist() == ["2", "1"]


def test_a_merge_that_was_broken_off_is_begun_anew(make, output, monkeypatch):
    a, b = make("a.h5", [("1", "x", 1)]), make("b.h5", [("2", "x", 2)])
    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            merge_files([a, b], output)
    assert output.with_name("merged.h5.partial").exists()
    assert merge_files([b, a], output).paths.tolist() == ["2", "1"]
    assert not output.with_name("merged.h5.partial").exists()


def test_files_without_a_common_picture_have_no_duplicates(make, output):
    a = make("a.h5", [("a/1", "x", 1), ("a/2", "x", 2)])
    b = make("b.h5", [("b/1", "y", 3)], ["b/bad"])
    merged = merge_files([a, b], output)
    assert merged.paths.tolist() == ["a/1", "a/2", "b/1"]
    assert merged.X[:, 0].tolist() == [1, 2, 3]
    assert len(merged.duplicates) == 0
    assert merged.attributes["n_found"] == 4


def test_a_path_twice_in_one_file_is_no_clash(make, output):
    a = make("a.h5", [("a/1", "x", 1)], again=[("a/1", "y", 0)])
    merged = merge_files([a, make("b.h5", [("b/1", "y", 3)])], output)
    assert merged.duplicates["path"].tolist() == ["a/1"]
    assert len(merged.label_conflicts()) == 1


def test_files_of_other_programs_that_leave_the_recipe_id_out(make, output):
    files = [make("a.h5", [("a/1", "x", 1)]), make("b.h5", [("b/2", "x", 2)])]
    for file in files:
        with h5py.File(file, "r+") as raw:
            del raw.attrs["recipe_id"]
    assert merge_files(files, output).attributes["recipe_id"] == digest_of('{"backbone":"pixels"}')
