"""``classify`` as a person uses it."""

import csv
import io
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features import read_features
from plankton_features.cli.main import main
from plankton_features.heads.calibrators import Temperature
from plankton_features.heads.file.persistence import load_head, save_head
from plankton_features.heads.head import Head
from plankton_features.images.synthetic import make_vignettes

RUSSIAN = "Кладоцера"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files that tests read and do not change: ``train``, ``train.h5``, ``out.head``, ``new``."""
    root = tmp_path_factory.mktemp("classify")
    make_vignettes(root / "train", n_classes=4, n_images=60, size=(20, 40), seed=1)
    make_vignettes(root / "new", n_classes=3, n_images=30, size=(20, 40), seed=2,
                   table=root / "new.csv")
    for kind in ("train", "new"):
        first = min((root / kind).iterdir())
        first.rename(root / kind / RUSSIAN)
    first = min((root / "new" / RUSSIAN).iterdir())
    shutil.copy(first, root / "new" / RUSSIAN / "the same, again.png")
    (root / "new" / RUSSIAN / "broken.png").write_bytes(b"not an image")
    assert main(["extract", str(root / "train"), str(root / "train.h5"), "--backbone", "pixels",
                 "--canvas", "32", "--quiet"]) == 0
    save_head(fitted_head(root / "train.h5", thresholds=[0.9, 0.0, np.inf, 0.0]),
              root / "out.head")
    return root


def fitted_head(features, **changed):
    file = read_features(features)
    classes, y = np.unique(file.y.astype(str), return_inverse=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("pca", PCA(8)),
                         ("classifier", LogisticRegression())]).fit(file.X, y)
    counts = np.bincount(y)
    parts = {
        "pipeline": pipeline, "classes": classes, "source": np.ones(len(classes)),
        "target": counts, "calibrator": Temperature(1.3), "thresholds": None,
        "recipe": file.recipe, "recipe_id": file.recipe_id,
        "feature_names": file.feature_names,
        "info": {"engine": str(file.attributes["engine"]),
                 "batch": int(file.attributes["batch"])},
    }
    return Head(**{**parts, **changed})


@pytest.fixture
def classify(folder, tmp_path, run):
    """Run ``classify`` with the head, writing ``p.csv``: (exit code, output, errors)."""

    def call(source, *options, head=folder / "out.head", output=tmp_path / "p.csv"):
        return run("classify", head, source, "-o", output, *options)

    return call


def table_of(path):
    return pd.read_csv(path, keep_default_na=False)


def extracted(source, output):
    assert main(["extract", str(source), str(output), "--backbone", "pixels", "--canvas", "32",
                 "--quiet"]) == 0
    return output


def test_images_give_the_same_as_their_feature_file(folder, tmp_path, classify):
    code, out, err = classify(folder / "new")
    assert code == 0, err
    features = extracted(folder / "new", tmp_path / "alone.h5")
    assert classify(features, output=tmp_path / "of_features.csv")[0] == 0
    ours, theirs = table_of(tmp_path / "p.csv"), table_of(tmp_path / "of_features.csv")
    assert ours["path"].tolist() == theirs["path"].tolist()
    for name in ("probability", "probability_2", "probability_3"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5)
    assert ours["taxon"].tolist() == theirs["taxon"].tolist()
    np.testing.assert_array_equal(read_features(tmp_path / "p.features.h5").X,
                                  read_features(features).X)
    assert "32 found = 30 written + 1 duplicates + 1 failed" in out
    assert "broken.png: decode" in out


def test_the_rows(folder, tmp_path, classify):
    features = extracted(folder / "new", tmp_path / "new.h5")
    classify(features)
    table, file, head = table_of(tmp_path / "p.csv"), read_features(features), load_head(
        folder / "out.head")
    assert list(table) == ["path", "id", "label", "taxon", "probability", "taxon_2",
                           "probability_2", "taxon_3", "probability_3", "abstained", "reason",
                           "duplicate_of", "recipe_id", "head_id"]
    own = table[table["duplicate_of"] == ""]
    found = head.classify(file.X)
    assert own["path"].tolist() == file.paths.tolist()
    assert own["label"].tolist() == file.y.tolist()
    assert own["taxon"].tolist() == head.classes[found.code].tolist()
    np.testing.assert_allclose(own["probability"], found.probability, rtol=1e-5)
    assert own["abstained"].tolist() == ["no" if a else "yes" for a in found.accepted]
    assert {"no", "yes"} == set(own["abstained"])
    assert set(table["head_id"]) == {head.head_id}
    assert set(table["recipe_id"]) == {file.recipe_id}
    again = table[table["duplicate_of"] != ""].iloc[0]
    first = table.iloc[table.index[table["path"] == again["path"]][0] - 1]
    assert again["path"].endswith("the same, again.png")
    assert again["duplicate_of"] == first["path"]
    assert again[list(table)[3:11]].tolist() == first[list(table)[3:11]].tolist()


def test_group_and_id_of_a_table_with_windows_newlines(folder, tmp_path, classify):
    text = (folder / "new.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "/" in line or "path" in line]
    kept = [line for line in lines[1:] if (folder / line.split(",")[0]).exists()][:6]
    (folder / "some.csv").write_bytes("\r\n".join([lines[0], *kept]).encode("utf-8-sig"))
    code, _, err = classify(folder / "some.csv")
    assert code == 0, err
    table = table_of(tmp_path / "p.csv")
    assert len(table) == 6
    assert list(table)[:4] == ["path", "id", "group", "label"]
    assert table["group"].str.startswith("tow_").all()
    assert table["id"].str.startswith("syn_").all()
    assert b"\r" not in (tmp_path / "p.csv").read_bytes()


def test_the_summary(folder, tmp_path, classify):
    features = extracted(folder / "new", tmp_path / "new.h5")
    code, out, _ = classify(features)
    assert code == 0
    file, head = read_features(features), load_head(folder / "out.head")
    found = head.classify(file.X)
    for k in np.unique(found.code):
        mine = found.code == k
        assert re.search(rf"{head.classes[k]} +{mine.sum()} +{mine.mean():.1%}".replace("%", " %")
                         + rf" +{found.probability[mine].mean():.3f}"
                         + rf" +{(mine & ~found.accepted).sum()}"
                         + rf" +{found.probabilities[:, k].sum():.1f}", out), out
    assert re.search(r"all +30 +100.0 % +\d+ +30.0", out)
    accuracy = (head.classes[found.code] == file.y).mean()
    assert f"accuracy {accuracy:.3f}" in out
    assert "only if these pictures did not train the head" in out
    assert "1 image could not be used" in out
    assert "1 row for further paths of the same pictures" in out
    assert f"31 rows, head {head.head_id}, recipe {head.recipe_id}" in out


def test_unlabelled_images_have_no_scores(folder, tmp_path, classify):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i, path in enumerate(sorted((folder / "train" / RUSSIAN).iterdir())[:3]):
        shutil.copy(path, flat / f"{i}{path.suffix}")
    code, out, _ = classify(flat)
    assert code == 0
    assert "accuracy" not in out
    assert "label" not in table_of(tmp_path / "p.csv")


def test_labels_that_the_head_does_not_know(folder, tmp_path, classify):
    other = tmp_path / "imgs" / "[b]new"
    shutil.copytree(folder / "train" / RUSSIAN, other)
    _, out, _ = classify(tmp_path / "imgs")
    assert "with labels that the head does not know ([b]new)" in out
    assert "accuracy" not in out


def test_without_thresholds_nobody_abstains(folder, tmp_path, classify):
    save_head(fitted_head(folder / "train.h5"), tmp_path / "plain.head")
    _, out, _ = classify(folder / "train.h5", head=tmp_path / "plain.head")
    assert "abstained" not in out
    assert set(table_of(tmp_path / "p.csv")["abstained"]) == {"no"}


def test_standard_output_has_the_table_and_nothing_else(folder, tmp_path, classify):
    code, out, err = classify(folder / "train.h5", output="-")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 60
    assert "expected" in err
    code, out, err = classify(folder / "new", "--features", tmp_path / "f.h5", output="-")
    assert code == 0
    assert len(list(csv.DictReader(io.StringIO(out)))) == 31
    assert "30 written" in err
    code, out, _ = classify(folder / "train.h5")
    assert "expected" in out


def test_a_second_run_uses_the_features_again(folder, tmp_path, classify, monkeypatch):
    classify(folder / "new")
    from plankton_features.images import preparing

    monkeypatch.setattr(preparing.Preparer, "_prepare_one", lambda *_: pytest.fail("read again"))
    code, _, err = classify(folder / "new")
    assert code == 1
    assert "p.csv: is there already. Use --overwrite" in err
    before = (tmp_path / "p.csv").read_bytes()
    code, out, _ = classify(folder / "new", "--overwrite")
    assert code == 0
    assert "is complete: nothing to do" in out
    assert (tmp_path / "p.csv").read_bytes() == before


def test_an_interrupted_run_is_continued(folder, tmp_path, classify, monkeypatch):
    from plankton_features.images import preparing

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preparing.Preparer, "_prepare_one", interrupted)
        code, _, err = classify(folder / "new")
    assert code == 130
    assert "run the same command again" in err
    assert (tmp_path / "p.features.h5.partial").exists()
    assert not (tmp_path / "p.csv").exists()
    assert classify(folder / "new")[0] == 0
    assert len(table_of(tmp_path / "p.csv")) == 31


def test_more_images_are_added_with_update(folder, tmp_path, classify):
    shutil.copytree(folder / "new", tmp_path / "imgs")
    classify(tmp_path / "imgs")
    Image.new("L", (30, 20), 200).save(tmp_path / "imgs" / "more.png")
    code, _, err = classify(tmp_path / "imgs", "--overwrite")
    assert code == 1
    assert "images: found 32, asked for 33" in err
    assert "use --update" in err
    assert "--features with another file name" in err
    code, out, _ = classify(tmp_path / "imgs", "--overwrite", "--update")
    assert code == 0
    assert "30 vectors from the file before" in out
    assert len(table_of(tmp_path / "p.csv")) == 32


@pytest.mark.parametrize(("allowed", "code"), [("0", 3), ("1", 0)])
def test_max_failures(folder, tmp_path, classify, allowed, code):
    assert classify(folder / "new", "--max-failures", allowed)[0] == code
    assert len(table_of(tmp_path / "p.csv")) == 31


def test_if_no_image_can_be_used(folder, tmp_path, classify):
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs" / "a.png").write_bytes(b"no")
    code, out, _ = classify(tmp_path / "imgs")
    assert code == 3
    assert "1 found = 0 written + 0 duplicates + 1 failed" in out
    code, _, err = classify(tmp_path / "imgs", "--max-failures", "1")
    assert code == 1
    assert "nothing to classify" in err
    code, _, err = classify(tmp_path / "p.features.h5")
    assert code == 1
    assert "holds no vectors (1 image could not be used)" in err
    assert not (tmp_path / "p.csv").exists()


def test_another_recipe_is_refused_and_named(folder, tmp_path, classify, run):
    run("extract", folder / "new", tmp_path / "o.h5", "--backbone", "pixels", "--canvas", "40")
    code, _, err = classify(tmp_path / "o.h5")
    assert code == 1
    assert "made with another recipe than the head's" in err
    assert "canvas: found 40, asked for 32" in err
    assert "views" not in err
    code, _, err = classify(folder / "new", "--features", tmp_path / "o.h5")
    assert code == 1
    assert "canvas: found 40, asked for 32" in err
    assert "--features with another file name" in err
    assert len(read_features(tmp_path / "o.h5")) == 30
    assert not (tmp_path / "p.csv").exists()


def test_the_engine_and_batch_of_the_head(folder, tmp_path, classify):
    save_head(fitted_head(folder / "train.h5", info={"engine": "numpy", "batch": 7}),
              tmp_path / "seven.head")
    classify(folder / "new", head=tmp_path / "seven.head")
    assert read_features(tmp_path / "p.features.h5").attributes["batch"] == 7
    save_head(fitted_head(folder / "train.h5", info={}), tmp_path / "none.head")
    assert classify(folder / "new", "--batch", "5", "--features", tmp_path / "f.h5", "--overwrite",
                    head=tmp_path / "none.head")[0] == 0
    assert read_features(tmp_path / "f.h5").attributes["batch"] == 5


def test_weights_of_another_network(folder, tmp_path, classify):
    code, _, err = classify(folder / "new", "--weights", tmp_path / "w.h5")
    assert code == 1
    assert "w.h5" in err or "weights" in err
    assert "Traceback" not in err


def in_folder(name, content):
    def make(folder, tmp_path):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name
    return make


def empty_folder(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def unfinished(folder, tmp_path):
    shutil.copy(folder / "train.h5", tmp_path / "u.h5.partial")
    return tmp_path / "u.h5"


def test_a_head_of_an_array_takes_feature_files_of_its_width_and_no_images(folder, tmp_path,
                                                                           classify):
    features = folder / "train.h5"
    width = read_features(features).shape[1]
    takes = f"It takes arrays (in Python) or feature files of {width:,} values only."
    save_head(fitted_head(features, recipe={}, recipe_id=""), tmp_path / "array.head")
    code, out, err = classify(features, head=tmp_path / "array.head")
    assert code == 0, err
    assert f"fitted on 60 rows of an array of {width:,} values  (id " in out
    assert "recipe" not in out
    (tmp_path / "p.csv").unlink()

    code, out, err = classify(folder / "new", head=tmp_path / "array.head")
    assert code == 1
    assert (f"array.head: was fitted on an array of {width:,} values, so it does not say how "
            f"images become vectors. {takes}") in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("p.*"))

    assert main(["extract", str(folder / "new"), str(tmp_path / "wide.h5"), "--backbone",
                 "pixels", "--canvas", "32", "--size-features", "--quiet"]) == 0
    wide = read_features(tmp_path / "wide.h5").shape[1]
    code, _, err = classify(tmp_path / "wide.h5", head=tmp_path / "array.head")
    assert code == 1
    assert (f"wide.h5: has vectors of {wide:,} values, the head was fitted on an array of "
            f"{width:,} values. {takes}") in err


@pytest.mark.parametrize(("source", "message"), [
    (lambda folder, tmp_path: tmp_path / "none.h5", "no such feature file"),
    (unfinished, "u.h5.partial is there: run the command that began it again"),
    (in_folder("a.h5", b"my thesis"), "not a feature file"),
    (in_folder("a.h5", b""), "not a feature file"),
    (lambda folder, tmp_path: tmp_path / "none", "found nothing there"),
    (empty_folder, "expected images"),
    (in_folder("a.csv", b"name\r\nx.png\r\n"), "expected a column named 'path'"),
    (lambda folder, tmp_path: folder / "out.head", "a head, expected features or images"),
])
def test_wrong_sources(folder, tmp_path, classify, source, message):
    code, out, err = classify(source(folder, tmp_path))
    assert code == 1
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(("head", "message"), [
    (lambda folder, tmp_path: tmp_path / "none.head", "no such head file"),
    (lambda folder, tmp_path: folder / "train.h5", "The order is: plankton-features classify HEAD"),
    (lambda folder, tmp_path: folder / "train", "a folder, expected a head"),
    (in_folder("a.head", b"my thesis"), "not a head file"),
])
def test_wrong_heads(folder, tmp_path, classify, head, message):
    code, out, err = classify(folder / "train.h5", head=head(folder, tmp_path))
    assert code == 1
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err


def test_swapped_arguments(folder, tmp_path, run):
    code, _, err = run("classify", folder / "train.h5", folder / "out.head", "-o",
                       tmp_path / "p.csv")
    assert code == 1
    assert "The order is" in err


@pytest.mark.parametrize(("output", "message"), [
    ("nowhere/p.csv", "nowhere does not exist"), (".", "is a folder"),
])
def test_wrong_outputs(folder, tmp_path, classify, output, message):
    for source in (folder / "train.h5", folder / "new"):
        code, _, err = classify(source, output=tmp_path / output)
        assert code == 1
        assert message in err
    assert not list(tmp_path.glob("*.h5*"))


def test_what_is_read_is_not_replaced(folder, tmp_path, classify):
    for name in ("out.head", "train.h5"):
        before = (folder / name).read_bytes()
        code, _, err = classify(folder / "train.h5", "--overwrite", output=folder / name)
        assert code == 1
        assert "would replace what is read" in err
        assert (folder / name).read_bytes() == before


def test_usage(folder, tmp_path, classify, run):
    assert run("classify", folder / "out.head", folder / "train.h5")[0] == 2
    assert classify(folder / "train.h5", "--features", "x.h5")[0] == 2
    code, _, err = classify(folder / "new", output="-")
    assert code == 2
    assert "--features" in err


def test_a_full_disk_is_one_line(folder, small_disk, classify):
    disk = small_disk("4k")
    code, out, err = classify(folder / "train.h5", output=disk / "p.csv")
    assert code == 1
    assert "p.csv: the disk is full" in err
    assert "Traceback" not in out + err
    assert not list(disk.iterdir())


def test_odd_names(folder, tmp_path, classify):
    odd = tmp_path / "=1+1, \"x\"\n[red]"
    odd.mkdir()
    for i, path in enumerate(sorted((folder / "train" / RUSSIAN).iterdir())[:3]):
        shutil.copy(path, odd / f"-{i}; Ж{path.suffix}")
    code, _, err = classify(tmp_path / odd.name, output=tmp_path / "вывод.csv")
    assert code == 0, err
    table = table_of(tmp_path / "вывод.csv")
    assert sorted(p.split(".")[0] for p in table["path"]) == ["-0; Ж", "-1; Ж", "-2; Ж"]


def test_feature_files_need_no_network(folder, tmp_path):
    code = ("import sys\nfrom plankton_features.cli.main import main\n"
            f"code = main(['classify', {str(folder / 'out.head')!r}, {str(folder / 'train.h5')!r},"
            f" '-o', {str(tmp_path / 'p.csv')!r}])\n"
            "names = {m.split('.')[0] for m in sys.modules}\n"
            "print(code, names & {'tensorflow', 'keras', 'openvino', 'matplotlib', 'torch'})")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 set()"
    assert len(table_of(tmp_path / "p.csv")) == 60


def test_help_is_light():
    code = ("import sys\nfrom plankton_features.cli.main import main\n"
            "try:\n    main(['classify', '--help'])\nexcept SystemExit:\n    pass\n"
            "print(sorted({m.split('.')[0] for m in sys.modules} & "
            "{'sklearn', 'pandas', 'h5py', 'rich', 'skops', 'tensorflow', 'openvino'}))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--max-failures" in done.stdout


def swapped(folder, root):
    """Pictures of two taxa in a flat folder of equal names and sizes, and the same the other way.
    """
    taxa = sorted(p for p in (folder / "train").iterdir())[:2]
    for name, (first, second) in (("a", taxa), ("b", taxa[::-1])):
        (root / name).mkdir()
        for i, paths in enumerate(zip(sorted(first.iterdir()), sorted(second.iterdir()),
                                      strict=False)):
            for side, path in zip("lr", paths, strict=True):
                with Image.open(path) as image:
                    image.convert("L").resize((32, 32)).save(root / name / f"{i}{side}.bmp")
    return root / "a", root / "b"


def test_other_pictures_of_the_same_names_get_their_own_taxa(folder, tmp_path, classify):
    first, second = swapped(folder, tmp_path)
    assert classify(second, output=tmp_path / "right.csv")[0] == 0
    classify(first)
    code, out, err = classify(second, "--overwrite")
    assert code == 0, err
    assert "was made from other pictures of the same names" in out
    assert "Their features are computed now" in out
    ours, right = table_of(tmp_path / "p.csv"), table_of(tmp_path / "right.csv")
    assert dict(zip(ours["path"], ours["taxon"], strict=True)) == dict(
        zip(right["path"], right["taxon"], strict=True))
    assert ours["taxon"].nunique() > 1


def test_other_pictures_in_an_unfinished_file_of_classify(folder, tmp_path, classify):
    first, second = swapped(folder, tmp_path)
    classify(second, output=tmp_path / "right.csv")
    classify(first)
    (tmp_path / "p.features.h5").rename(tmp_path / "p.features.h5.partial")
    assert classify(second, "--overwrite")[0] == 0
    assert table_of(tmp_path / "p.csv").equals(table_of(tmp_path / "right.csv"))
    assert not list(tmp_path.glob("*.before*"))


def test_features_with_a_name_of_their_own_are_not_replaced(folder, tmp_path, classify):
    first, second = swapped(folder, tmp_path)
    features = tmp_path / "f.h5"
    classify(first, "--features", features)
    before = features.read_bytes()
    code, _, err = classify(second, "--features", features, "--overwrite")
    assert code == 1
    assert "was made from other pictures of the same names" in err
    assert "--features with another file name" in err
    assert features.read_bytes() == before


def test_pictures_that_cannot_be_read_by_now_lose_no_features(folder, tmp_path, classify):
    first, _ = swapped(folder, tmp_path)
    table = tmp_path / "table.csv"
    table.write_text("path\n" + "".join(f"a/{p.name}\n" for p in sorted(first.iterdir())))
    classify(table)
    before = (tmp_path / "p.features.h5").read_bytes()
    first.rename(tmp_path / "not mounted")
    code, _, err = classify(table, "--overwrite")
    assert code == 1
    assert "Is a drive or a folder missing?" in err
    assert (tmp_path / "p.features.h5").read_bytes() == before


def test_new_images_are_scaled_as_the_heads_were(tmp_path, run):
    """The head's features were made with --depth 12; a dark picture is not brightened for it."""
    rng = np.random.default_rng(0)
    for folder, most in (("train/a", 4095), ("train/b", 2000), ("new", 200)):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(most // 2, most + 1, (20, 20)).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / folder / f"{i}.png")
    options = ("--backbone", "pixels", "--canvas", "32", "--quiet")
    run("extract", tmp_path / "train", tmp_path / "train.h5", "--depth", "12", *options)
    save_head(fitted_head(tmp_path / "train.h5"), tmp_path / "out.head")
    code, _, _ = run("classify", tmp_path / "out.head", tmp_path / "new", "-o", tmp_path / "p.csv")
    assert code == 0
    found = read_features(tmp_path / "p.features.h5")
    assert found.recipe["depth"] == "12"
    assert set(found.images["full_scale"]) == {4095}
    assert found.images["contrast"].max() < 10
    run("extract", tmp_path / "new", tmp_path / "auto.h5", *options)
    code, _, err = run("classify", tmp_path / "out.head", tmp_path / "auto.h5", "-o",
                       tmp_path / "q.csv")
    assert code == 1
    assert "depth: found the default, asked for 12" in err
