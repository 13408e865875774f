"""Vectors and images are named block by block; files are whole or as before."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sound_heads import TAXA, fitted, make, rows

from plankton_features import FeatureFile, build_catalog, load_head, read_features, save_head
from plankton_features.cli.main import main
from plankton_features.errors import (
    InputError,
    MismatchError,
    OtherPicturesError,
    StoreError,
)
from plankton_features.heads import HeadOptions, Predictions
from plankton_features.heads.calibrators import Uncalibrated
from plankton_features.images.synthetic import make_vignettes
from plankton_features.results import Tally, classify, prediction_files, validate
from plankton_features.results.blocks import VectorBlock, array_blocks
from plankton_features.results.classifying import classify_blocks
from plankton_features.results.predictions import prediction_table


def images(n):
    return pd.DataFrame({"path": [f"tow 1/{i}.png" for i in range(n)], "id": [""] * n,
                         "label": [TAXA[i % 4] for i in range(n)]})


def blocks_of(X, size, duplicates=()):
    """Blocks of `size` rows; duplicates are pairs of (row, path)."""
    frame = images(len(X))
    for start in range(0, len(X), size):
        part = frame.iloc[start:start + size]
        again = [(r - start, p) for r, p in duplicates if start <= r < start + size]
        yield VectorBlock(X[start:start + size], part, pd.DataFrame({
            "path": [p for _, p in again], "id": "", "label": "other",
            "row": [r for r, _ in again]}).astype({"row": int}))


def test_table_of_predictions():
    head = make(thresholds=[0.9, 0.0, np.inf, 0.0])
    X, _ = rows(12, seed=4)
    found = head.classify(X)
    table = prediction_table(head, found, images(12))
    assert list(table) == ["path", "id", "label", "taxon", "probability", "taxon_2",
                           "probability_2", "taxon_3", "probability_3", "abstained", "reason",
                           "recipe_id", "head_id"]
    assert table["taxon"].tolist() == head.classes[found.code].tolist()
    np.testing.assert_array_equal(table["probability"], found.probability)
    assert (table["probability_2"] >= table["probability_3"]).all()
    assert ((table["abstained"] == "yes") == ~found.accepted).all()
    low = table[(table["taxon"] == TAXA[0]) & (table["abstained"] == "yes")].iloc[0]
    assert low["reason"] == (f"probability {low['probability']:.3f} below 0.900, the threshold of "
                             "this taxon")
    assert (table.loc[table["abstained"] == "no", "reason"] == "").all()
    never = table[table["taxon"] == TAXA[2]]
    assert never["reason"].str.startswith("never sure enough").all()
    assert len(never)


def test_two_classes_leave_the_third_empty():
    head = make(fitted(classes=(0, 1)), classes=["a", "b"], source=[1, 1], target=[1, 1])
    table = prediction_table(head, head.classify(rows(5)[0]), images(5))
    assert (table["taxon_3"] == "").all()
    assert table["probability_3"].isna().all()


@pytest.mark.parametrize("size", [1, 5, 100])
def test_blocks_change_nothing(tmp_path, size):
    head = make()
    X, _ = rows(23, seed=5)
    duplicates = [(3, "again.png"), (3, "more.png"), (20, "last.png")]
    tally = classify_blocks(head, blocks_of(X, size, duplicates), tmp_path / "out.csv").tally
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    found = head.classify(X)
    own = table[table["duplicate_of"] == ""]
    assert own["path"].tolist() == images(23)["path"].tolist()
    np.testing.assert_allclose(own["probability"], found.probability, rtol=1e-5)
    assert table["path"].tolist()[3:7] == ["tow 1/3.png", "again.png", "more.png", "tow 1/4.png"]
    again = table[table["duplicate_of"] != ""]
    assert again["duplicate_of"].tolist() == ["tow 1/3.png"] * 2 + ["tow 1/20.png"]
    assert again["taxon"].tolist() == head.classes[found.code[[3, 3, 20]]].tolist()
    assert set(again["label"]) == {"other"}
    assert (tally.n, tally.n_duplicates) == (23, 3)
    summary = tally.table()
    assert summary["images"].sum() == 23
    assert summary["images"].is_monotonic_decreasing
    of_first = summary.set_index("taxon").loc[TAXA[0]]
    mine = found.code == 0
    assert of_first["images"] == mine.sum()
    assert of_first["share"] == pytest.approx(mine.mean())
    assert of_first["probability"] == pytest.approx(found.probability[mine].mean())
    assert of_first["expected"] == pytest.approx(found.probabilities[:, 0].sum())


def test_labels_are_scored_and_unknown_ones_counted():
    tally = Tally(np.array(["a", "b"]))
    found = Predictions(np.array([0, 1, 1, 0]), np.full((4, 2), 0.5),
                        np.array([True, True, False, True]))
    tally.add(found, ["a", "a", "c", ""])
    assert tally.confusion.tolist() == [[1, 1], [0, 0]]
    assert tally.unknown == {"c": 1}
    assert tally.n_labelled == 2
    assert tally.scores()["accuracy"] == 0.5
    assert tally.table()["abstained"].tolist() == [0, 1]


def test_names_are_data(tmp_path):
    """Commas, quotes, line breaks and formulas come back from the CSV as they went in."""
    names = ['a,"b"', "line\nbreak", "=cmd()", "carriage\rreturn"]
    head = make(classes=names, calibrator=Uncalibrated())
    X, _ = rows(40)
    classify_blocks(head, blocks_of(X, 7), tmp_path / "out.csv")
    assert b"\r\n" not in (tmp_path / "out.csv").read_bytes()
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert table["taxon"].tolist() == [names[k] for k in head.classify(X).code]


def test_a_file_is_replaced_only_whole_and_only_if_allowed(tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    X, _ = rows(8)
    with pytest.raises(InputError, match="--overwrite"):
        classify_blocks(make(), blocks_of(X, 4), out)

    def broken():
        yield next(blocks_of(X, 4))
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="the disk is full"):
        classify_blocks(make(), broken(), out, overwrite=True)
    assert out.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    classify_blocks(make(), blocks_of(X, 4), out, overwrite=True)
    assert len(pd.read_csv(out)) == 8
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


# From images and files


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A head, its features, and new images with a copy and a broken file among them."""
    root = tmp_path_factory.mktemp("classifying")
    make_vignettes(root / "train", n_classes=4, n_images=60, size=(20, 40), seed=1)
    make_vignettes(root / "new", n_classes=3, n_images=30, size=(20, 40), seed=2)
    first = min((root / "new").rglob("*.*"))
    (first.parent / "again.png").write_bytes(first.read_bytes())
    (first.parent / "broken.png").write_bytes(b"not an image")
    assert main(["extract", str(root / "train"), str(root / "train.h5"), "--backbone", "pixels",
                 "--canvas", "32", "--quiet"]) == 0
    save_head(validate(root / "train.h5", HeadOptions(pca=8, min_precision=0.6), folds=3).head,
              root / "out.head")
    return root


def csv_of(path):
    return pd.read_csv(path, keep_default_na=False)


def test_the_command_and_the_call_write_the_same(world, tmp_path):
    for name, source in (("images", world / "new"), ("features", world / "train.h5")):
        ours, theirs = tmp_path / f"{name}.csv", tmp_path / f"{name}-cli.csv"
        assert main(["classify", str(world / "out.head"), str(source), "-o", str(theirs),
                     "--probabilities", "all", "--quiet"]) == 0
        found = classify(world / "out.head", source, ours, probabilities="all")
        assert ours.read_bytes() == theirs.read_bytes()
        assert found.table is None
    assert (tmp_path / "images.features.h5").exists()


def test_all_kinds_of_sources_give_the_same_table(world, tmp_path):
    head = load_head(world / "out.head")
    seen = []
    table = classify(head, world / "new", progress=seen.append).table
    assert {one.total for one in seen} == {30, 32}
    assert not list(tmp_path.iterdir())
    classify(head, world / "new", tmp_path / "p.csv", features=tmp_path / "f.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.h5", "p.csv"]
    for source in (build_catalog(world / "new"), tmp_path / "f.h5",
                   read_features(tmp_path / "f.h5"), str(world / "new")):
        found = classify(head, source)
        pd.testing.assert_frame_equal(found.table, table)
        assert found.failures["path"].str.endswith("broken.png").tolist() == [True]
        assert (found.tally.n, found.tally.n_duplicates) == (30, 1)
    written = csv_of(tmp_path / "p.csv")
    assert written["taxon"].tolist() == table["taxon"].tolist()
    np.testing.assert_allclose(written["probability"], table["probability"], rtol=1e-5)
    vectors = read_features(tmp_path / "f.h5").X
    bare = classify(head, vectors).table
    own = table[table["duplicate_of"] == ""]
    assert bare["taxon"].tolist() == own["taxon"].tolist()
    assert bare["path"].tolist() == [str(i) for i in range(30)]


@pytest.mark.parametrize("size", [1, 7])
def test_copies_stay_with_their_pictures_in_files_of_many_blocks(world, tmp_path, monkeypatch,
                                                                 size):
    head = load_head(world / "out.head")
    shutil.copytree(world / "new", tmp_path / "imgs")
    last = max((tmp_path / "imgs").rglob("*.*"))
    shutil.copy(last, last.with_name("zz.png"))
    classify(head, tmp_path / "imgs", tmp_path / "p.csv", features=tmp_path / "f.h5")
    whole, in_one = classify(head, tmp_path / "f.h5").table, FeatureFile.iter_blocks
    monkeypatch.setattr(FeatureFile, "iter_blocks", lambda self: in_one(self, size))
    pd.testing.assert_frame_equal(classify(head, tmp_path / "f.h5").table, whole)


def test_rows_of_an_array_are_numbered_on_through_all_blocks():
    X, _ = rows(9000)
    table = classify(make(), X).table
    assert table["path"].tolist() == [str(i) for i in range(9000)]
    assert table["taxon"].tolist() == make().predict(X).tolist()


def test_features_of_images_are_used_again(world, tmp_path, monkeypatch):
    from plankton_features.images import preparing

    classify(world / "out.head", world / "new", tmp_path / "p.csv")
    monkeypatch.setattr(preparing.Preparer, "_prepare_one", lambda *_: pytest.fail("read again"))
    before = (tmp_path / "p.csv").read_bytes()
    classify(world / "out.head", world / "new", tmp_path / "p.csv", overwrite=True)
    assert (tmp_path / "p.csv").read_bytes() == before


def test_what_cannot_be_is_refused_before_images_are_read(world, tmp_path, monkeypatch):
    from plankton_features.results import classifying

    monkeypatch.setattr(classifying, "extract_for_head", lambda *_, **__: pytest.fail("extracted"))
    (tmp_path / "p.csv").write_text("mine")
    head = load_head(world / "out.head")
    bare = make()
    object.__setattr__(bare, "recipe", {})
    for given, source, target, message in (
            (head, world / "new", tmp_path / "p.csv", "is there already"),
            (world / "out.head", world / "new", world / "out.head", "would replace what is read"),
            (head, world / "out.head", None, "a head, expected features or images"),
            (bare, world / "new", None, "does not say how images become vectors")):
        with pytest.raises(InputError, match=message):
            classify(given, source, target)
    with pytest.raises(InputError, match="expected one of top, all"):
        classify(head, world / "train.h5", probabilities="none")
    with pytest.raises(InputError, match="expected shape"):
        classify(head, np.zeros((3, 2)))
    with pytest.raises(MismatchError, match="another recipe"):
        classify(make(), world / "train.h5")


def test_images_of_which_none_can_be_used(world, tmp_path):
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs" / "a.png").write_bytes(b"no")
    with pytest.raises(InputError, match=r"holds no vectors .1 image could not be used"):
        classify(world / "out.head", tmp_path / "imgs")


def test_other_pictures_of_the_same_names_get_their_own_taxa(world, tmp_path):
    """But a feature file that was named is not replaced."""
    made = [sorted(folder.iterdir())[:3] for folder in sorted((world / "train").iterdir())[:2]]
    for name, paths in (("a", made[0] + made[1]), ("b", made[1] + made[0])):
        (tmp_path / name).mkdir()
        for i, path in enumerate(paths):
            with Image.open(path) as image:
                image.convert("L").resize((32, 32)).save(tmp_path / name / f"{i}.bmp")
    head, out = load_head(world / "out.head"), tmp_path / "p.csv"
    right = classify(head, tmp_path / "b").table
    for folder in ("a", "b"):
        classify(head, tmp_path / folder, out, overwrite=True)
        classify(head, tmp_path / folder, tmp_path / f"{folder}.csv", features=tmp_path /
                 f"{folder}.h5")
    np.testing.assert_allclose(csv_of(out)["probability"], right["probability"], rtol=1e-5)
    assert not np.allclose(csv_of(tmp_path / "a.csv")["probability"], right["probability"])
    with pytest.raises(OtherPicturesError, match="--features with another file name"):
        classify(head, tmp_path / "b", features=tmp_path / "a.h5")


# Parquet


def test_parquet_holds_what_the_csv_holds(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.setattr(prediction_files, "_GROUP_ROWS", 20)
    names = ['a,"b"', "line\nbreak", "=cmd()", "\u041a\u043b\u0430"]
    head = make(classes=names, thresholds=[0.9, 0.0, np.inf, 0.0])
    X, _ = rows(53)
    pair = [(3, "again.png")]
    found = classify_blocks(head, blocks_of(X, 7, pair), tmp_path / "p.parquet",
                            probabilities="all")
    assert found.table is None
    whole = classify_blocks(head, blocks_of(X, 7, pair), probabilities="all").table
    read = pd.read_parquet(tmp_path / "p.parquet")
    assert list(read) == list(whole)
    for name in read:  # to the last bit
        assert read[name].tolist() == whole[name].tolist(), name
    file = parquet.ParquetFile(tmp_path / "p.parquet")
    assert file.num_row_groups == 3
    assert {str(one.type) for one in file.schema_arrow} == {"string", "double"}
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_two_classes_leave_nulls_in_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    head = make(fitted(classes=(0, 1)), classes=["a", "b"], source=[1, 1], target=[1, 1])
    classify_blocks(head, array_blocks(rows(5)[0]), tmp_path / "p.parquet")
    assert pd.read_parquet(tmp_path / "p.parquet")["probability_3"].isna().all()


def test_parquet_is_replaced_only_whole(tmp_path):
    pytest.importorskip("pyarrow")
    out = tmp_path / "p.parquet"
    out.write_text("mine")
    X, _ = rows(8)

    def broken():
        yield next(blocks_of(X, 4))
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="the disk is full"):
        classify_blocks(make(), broken(), out, overwrite=True)
    assert out.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_without_pyarrow_one_sentence_says_what_to_install(world, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(prediction_files.importlib.util, "find_spec", lambda _: None)
    assert main(["classify", str(world / "out.head"), str(world / "new"), "-o",
                 str(tmp_path / "p.parquet")]) == 1
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'p.parquet'}: Parquet needs pyarrow, which is not installed. pip "
        'install "plankton_features[parquet]", or give a name that ends with .csv.\n')
    assert not list(tmp_path.iterdir())


def test_csv_needs_no_pyarrow(world, tmp_path):
    code = ("import sys\nfrom plankton_features import classify\n"
            f"classify({str(world / 'out.head')!r}, {str(world / 'train.h5')!r}, "
            f"{str(tmp_path / 'p.csv')!r})\n"
            "print({'tensorflow', 'openvino', 'pyarrow.parquet'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
