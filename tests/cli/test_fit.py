"""``fit-head``, end to end on small real files."""

import errno
import json
import os
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features import build_catalog, read_features
from plankton_features.cli.main import extract_features, fit_head, main
from plankton_features.files.disk import writing
from plankton_features.files.together import Together, whole_folder
from plankton_features.heads.file.persistence import load_head
from plankton_features.images.synthetic import make_vignettes
from plankton_features.report import writing as result_writing
from plankton_features.results import learning

NAMES = {"head": ".head", "report": ".report.html", "results": ".results.json",
         "predictions": ".predictions.csv"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A feature file of five classes, one of which is hostile, with groups in the paths."""
    folder = tmp_path_factory.mktemp("fit")
    make_vignettes(folder / "imgs", n_classes=5, n_images=150, imbalance=20, seed=3, groups=12)
    first = sorted((folder / "imgs").iterdir())[0]
    first.rename(first.with_name("Копепода <img src=x onerror=alert(1)>"))
    assert extract_features([str(folder / "imgs"), str(folder / "out.h5"), "--backbone", "pixels",
                             "--canvas", "32", "--quiet"]) == 0
    return folder


def fit(made, tmp_path, *options):
    code = fit_head([str(made / "out.h5"), "-o", str(tmp_path / "run"), "--folds", "3", "--quiet",
                     *options])
    results = tmp_path / "run.results.json"
    return code, json.loads(results.read_text()) if results.exists() else None


@pytest.fixture(scope="module")
def run(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    code, results = fit(made, folder, "--sampler", "smote", "--floor", "30", "--min-precision",
                        "0.7", "--non-living", "C*")
    assert code == 0
    return folder, results


def test_four_files_are_written_and_agree(made, run):
    folder, results = run
    assert {p.name for p in folder.iterdir()} == {"run" + suffix for suffix in NAMES.values()}
    frame = pd.read_csv(folder / "run.predictions.csv")
    file = read_features(made / "out.h5")
    assert sorted(frame["path"]) == sorted(file.paths)
    right = (frame["label"] == frame["taxon"]).mean()
    assert abs(right - results["scores"]["accuracy"]["estimate"]) < 1e-9
    assert np.sum(results["confusion"]) == len(file)
    assert np.trace(results["confusion"]) == (frame["label"] == frame["taxon"]).sum()
    accepted = (frame["abstained"] == "no").mean()
    assert abs(accepted - results["abstention"]["coverage"]["estimate"]) < 1e-9
    assert results["features"]["recipe_id"] == file.recipe_id


def test_every_score_has_an_interval(run):
    scores = run[1]["scores"]
    assert len(scores) >= 16
    for name, one in scores.items():
        assert one["low"] <= one["estimate"] <= one["high"], name


def test_what_was_done_to_each_class_is_told(run):
    results = run[1]
    assert all(one["after"] == max(one["before"], 30) for one in results["sampling"])
    told = {one["how"].split(" with")[0] for one in results["sampling"]
            if one["before"] < 30}
    assert told == {"SMOTE"}
    assert {one["how"] for one in results["sampling"] if one["before"] >= 30} == {"left alone"}


def test_living_only_leaves_the_named_classes_out(run):
    results = run[1]
    named = [name for name in results["classes"] if name.startswith("C")]
    assert results["living"]["classes"] == named != []
    left = sum(one["support"] for one in results["per_class"] if one["class"] not in named)
    assert results["living"]["rows"] == left


def test_classes_with_odd_names_can_be_left_out(tmp_path):
    names = ["Oithona, juv.", "Acartia*", "Ceratium [furca]", "d\u00e9bris", "Calanus",
             'the "big"']
    rng = np.random.default_rng(0)
    rows = []
    for k, name in enumerate(names):
        for i in range(6):
            pixels = rng.integers(20 * k, 20 * k + 60, (12, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{k}_{i}.png")
            rows.append([f"{k}_{i}.png", name])
    pd.DataFrame(rows, columns=["path", "label"]).to_csv(tmp_path / "t.csv", index=False)
    assert main(["extract", str(tmp_path / "t.csv"), str(tmp_path / "t.h5"), "--backbone", "pixels",
                 "--quiet"]) == 0
    given = '"Oithona, juv.",Acartia*, Ceratium [furca],de\u0301bris,the "big"'
    assert main(["fit", str(tmp_path / "t.h5"), "--folds", "3", "--quiet", "--non-living",
                 given]) == 0
    results = json.loads((tmp_path / "t.results.json").read_text("utf-8"))
    assert results["living"]["classes"] == sorted(set(names) - {"Calanus"})


def test_the_head_predicts_and_remembers(made, run):
    head = load_head(run[0] / "run.head")
    file = read_features(made / "out.h5")
    assert head.recipe_id == file.recipe_id
    assert head.recipe == file.recipe
    own = head.pipeline.predict(file.X)
    assert (head.classify(file.X).code == own).all()
    assert (head.classes[own] == file.y).mean() > (file.y == "Antennata").mean()
    assert head.info["training"] == file.images["label"].value_counts().to_dict()
    assert head.thresholds is not None


def test_the_page_shows_a_hostile_name_as_text(run):
    page = (run[0] / "run.report.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "Копепода" in page


def test_the_same_seed_gives_the_same_numbers(made, run, tmp_path):
    _, again = fit(made, tmp_path, "--sampler", "smote", "--floor", "30", "--min-precision", "0.7",
                   "--non-living", "C*")
    for part in ("scores", "per_class", "confusion", "calibration", "choices"):
        assert again[part] == run[1][part]
    assert load_head(tmp_path / "run.head").decision_scores(read_features(made / "out.h5").X[:5]) \
        .tolist() == load_head(run[0] / "run.head").decision_scores(
            read_features(made / "out.h5").X[:5]).tolist()


def test_groups_are_kept_together_and_optimism_is_named(made, tmp_path):
    code, results = fit(made, tmp_path, "--group-pattern", r"(\d)\.")
    frame = pd.read_csv(tmp_path / "run.predictions.csv")
    assert code == 0
    assert (frame.groupby("group")["fold"].nunique() == 1).all()
    assert results["folds"]["n_groups"] == frame["group"].nunique()
    assert results["optimism"]["sentence"] in results["warnings"]


def test_without_groups_the_report_says_that_scores_are_optimistic(run):
    assert any("optimistic" in text for text in run[1]["warnings"])


def test_a_single_split_scores_the_test_part_only(made, tmp_path):
    code, results = fit(made, tmp_path, "--test-size", "20", "--validation-size", "15%")
    frame = pd.read_csv(tmp_path / "run.predictions.csv")
    assert code == 0
    assert abs(len(frame) / 150 - 0.2) < 0.05
    assert sum(results["folds"]["rows"]) == 150


def test_repeats_score_each_image_again(made, tmp_path):
    fit(made, tmp_path, "--repeats", "2")
    frame = pd.read_csv(tmp_path / "run.predictions.csv")
    assert (frame["path"].value_counts() == 2).all()
    assert sorted(frame["repeat"].unique()) == [0, 1]


def test_compare_tells_differences_on_the_same_folds(made, tmp_path, capsys):
    code, results = fit(made, tmp_path, "--compare", "smote,lda,random-over/knn")
    rows = {row["name"]: row for row in results["comparison"]["rows"]}
    assert code == 0
    assert next(iter(rows)) == "none / logistic"
    assert rows["none / logistic"]["difference"] is None
    assert rows["none / logistic"]["scores"]["macro_f1"] == results["scores"]["macro_f1"]
    for name in ("smote / logistic", "none / lda"):
        gap = rows[name]["difference"]["macro_f1"]
        assert gap["low"] <= gap["estimate"] <= gap["high"]
        assert abs(gap["estimate"] - (rows[name]["scores"]["macro_f1"]["estimate"]
                                      - results["scores"]["macro_f1"]["estimate"])) < 1e-9
    assert results["comparison"]["recommendation"] in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize("classifier", ["mlp", "random-forest", "lda", "knn"])
def test_every_classifier_goes_all_the_way(made, tmp_path, classifier):
    code, results = fit(made, tmp_path, "--classifier", classifier, "--pca", "20")
    file = read_features(made / "out.h5")
    head = load_head(tmp_path / "run.head")
    assert code == 0
    assert results["scores"]["accuracy"]["estimate"] > 0.4
    assert np.allclose(head.predict_proba(file.X).sum(axis=1), 1)


@pytest.mark.parametrize(("options", "said"), [
    (["--sampler", "smite"], "smite"), (["--classifier", "svm"], "Choose one of: logistic"),
    (["--folds", "2"], "3 or more"), (["--folds", "400"], "at least 400"),
    (["--non-living", "bubble*"], "no class is named 'bubble*'"),
    (["--non-living", "*"], "leave at least one"), (["--floor", "9"], "takes none"),
    (["--group-pattern", "("], "not a regular expression"),
    (["--group-level", "3"], "They lie in fewer folders"), (["--min-precision", "2"], "up to 1"),
    (["--group-level", "1", "--ungrouped"], "exclude each other"),
    (["--validation-size", "20"], "--test-size only"),
    (["--test-size", "20", "--repeats", "2"], "folds only"),
    (["--compare", "smite"], "neither a sampler"),
    (["--compare", "class-weight/knn"], "cannot weight classes"),
    (["--group-level", "1"], "groups the labels"),
])
def test_what_is_wrong_is_one_line_and_writes_nothing(made, tmp_path, capsys, options, said):
    code, results = fit(made, tmp_path, *options)
    error = capsys.readouterr().err
    assert code == 1
    assert said in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert results is None
    assert not list(tmp_path.iterdir())


def test_results_that_are_there_are_not_replaced_unasked(made, tmp_path, capsys):
    assert fit(made, tmp_path)[0] == 0
    before = (tmp_path / "run.head").read_bytes()
    assert fit(made, tmp_path)[0] == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "run.head").read_bytes() == before
    assert fit(made, tmp_path, "--overwrite", "--sampler", "random-over")[0] == 0
    assert (tmp_path / "run.head").read_bytes() != before


@pytest.mark.parametrize(("n", "labelled", "said"), [
    (12, False, "no image has a label"), (3, True, "at least"),
])
def test_files_that_cannot_be_learnt_from(tmp_path, capsys, n, labelled, said):
    make_vignettes(tmp_path / "imgs", n_classes=2, n_images=n, imbalance=1, seed=0)
    if not labelled:
        flat = tmp_path / "flat"
        flat.mkdir()
        for path in (tmp_path / "imgs").rglob("*.*"):
            path.rename(flat / path.name)
    source = tmp_path / ("imgs" if labelled else "flat")
    assert extract_features([str(source), str(tmp_path / "o.h5"), "--backbone", "pixels",
                             "--canvas", "32", "--quiet"]) == 0
    assert fit_head([str(tmp_path / "o.h5")]) == 1
    assert said in capsys.readouterr().err


def test_missing_files_and_folders(tmp_path, made, capsys):
    assert fit_head([str(tmp_path / "no.h5")]) == 1
    assert "no such feature file" in capsys.readouterr().err
    assert fit_head([str(made / "out.h5"), "-o", str(tmp_path / "no" / "run")]) == 1
    assert "no" in capsys.readouterr().err


def test_a_stranger_s_file_pulls_no_local_pictures_into_the_report(made, tmp_path, capsys):
    private = tmp_path / "private"
    shutil.copytree(made / "imgs", private)
    forged = tmp_path / "forged.h5"
    shutil.copy(made / "out.h5", forged)
    with h5py.File(forged, "r+") as file:
        paths = np.array([os.fsencode(private / p.decode()) for p in file["images/path"][:]])
        del file["images/path"]
        file["images/path"] = paths
    report = tmp_path / "run.report.html"

    def pictures(*options):
        assert fit_head([str(forged), "-o", str(tmp_path / "run"), "--folds", "3", "--overwrite",
                         *options]) == 0
        return report.read_text(encoding="utf-8").count("data:image/webp"), capsys.readouterr().out

    n, told = pictures()
    assert n == 0
    assert "pictures lie outside of" in told
    (tmp_path / "own.csv").write_bytes(b"path\n" + b"\n".join(paths) + b"\n")
    for mine in (tmp_path / "own.csv", private):
        n, told = pictures("--images", str(mine))
        assert n > 50
        assert "outside" not in told
    assert fit_head([str(forged), "-o", str(tmp_path / "x"), "--images", str(forged)]) == 1
    assert "expected a folder of images or a table" in capsys.readouterr().err


@pytest.mark.parametrize("recorded", ["", "no\ufffdwhere"])
def test_odd_records_of_where_the_images_were(made, tmp_path, capsys, recorded):
    shutil.copy(made / "out.h5", tmp_path / "odd.h5")
    with h5py.File(tmp_path / "odd.h5", "r+") as file:
        file.attrs["images"] = recorded
    assert fit_head([str(tmp_path / "odd.h5"), "--folds", "3", "--quiet"]) == 0
    assert "The images were not found" in capsys.readouterr().out


def test_features_whose_name_is_one_of_the_results_are_not_replaced(made, tmp_path, run, capsys):
    features = tmp_path / "x.head"
    shutil.copy(made / "out.h5", features)
    before = features.read_bytes()
    assert fit_head([str(features), "--folds", "3", "--overwrite"]) == 1
    assert "x.head: would replace what is read" in capsys.readouterr().err
    assert features.read_bytes() == before
    shutil.copy(run[0] / "run.head", features)
    assert fit_head([str(features)]) == 1
    assert "feature file" in (told := capsys.readouterr().err)
    assert "--overwrite" not in told


def test_limits_for_samplers_that_are_compared(made, tmp_path, capsys):
    """The head's own sampler, by default none, takes no floor."""
    arguments = [str(made / "out.h5"), "-o", str(tmp_path / "c"), "--folds", "3", "--quiet"]
    assert fit_head([*arguments, "--compare", "random-over", "--floor", "30"]) == 0
    assert "random-over / logistic" in capsys.readouterr().out
    assert fit_head([*arguments[:2], str(tmp_path / "d"), "--compare", "knn", "--cap", "9"]) == 1
    assert "cap: none of the samplers compared takes one (none)" in capsys.readouterr().err


def test_label_conflicts_and_unlabelled_images_are_told(images, tmp_path, capsys):
    """With both labels, and in the singular."""
    catalog = build_catalog(images)
    labels = ["" if path == "Кладоцера/3.png" else label
              for path, label in zip(catalog.path, catalog.label, strict=True)]
    paths = [f"imgs/{path}" for path in catalog.path]
    pd.DataFrame({"path": paths, "label": labels}).to_csv(tmp_path / "t.csv", index=False)
    assert extract_features([str(tmp_path / "t.csv"), str(tmp_path / "o.h5"), "--backbone",
                             "pixels", "--canvas", "32"]) == 0
    assert fit_head([str(tmp_path / "o.h5"), "--folds", "3"]) == 0
    out = capsys.readouterr().out
    assert "1 image without a label left out." in out
    assert ("1 file with a picture that lies under another label too, such as imgs/Кладоцера/0.png "
            "(Кладоцера) and imgs/bubble/same.png (bubble); the first label is used.") in out


def test_plankton_features_fit_is_the_same_command(made, tmp_path):
    assert main(["fit", str(made / "out.h5"), "-o", str(tmp_path / "run"), "--folds", "3",
                 "--quiet"]) == 0


def test_fitting_imports_no_network(made, tmp_path):
    code = ("import sys; from plankton_features.cli.main import fit_head; "
            f"code = fit_head([{str(made / 'out.h5')!r}, '-o', {str(tmp_path / 'run')!r}, "
            "'--folds', '3', '--quiet']); "
            "assert not {'tensorflow', 'keras', 'openvino'} & set(sys.modules); sys.exit(code)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def bins(tmp_path_factory):
    """A table of absolute paths below bins of two kinds, whose column group has one kind only."""
    folder = tmp_path_factory.mktemp("bins")
    rng = np.random.default_rng(0)
    lines = ["path,label,group,id"]
    for i in range(120):
        name = f"D201401{10 + i % 6}T003426_IFCB014" if i % 2 else f"IFCB1_2009_21{i % 6}_075913"
        path = folder / "imgs" / name / "ab"[i // 2 % 2] / f"{name}_{i:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16), np.uint8)).save(path)
        lines.append(f"{path},{path.parent.name},{name if i % 2 else ''},{1401170034 + 9000 * i}")
    (folder / "imgs" / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    assert extract_features([str(folder / "imgs" / "table.csv"), str(folder / "out.h5"),
                             "--backbone", "pixels", "--canvas", "16", "--quiet"]) == 0
    return folder


@pytest.mark.parametrize(("options", "n_groups", "without", "rows"), [
    (["--group-pattern", r"(IFCB1_\d+_\d+)|(D\d+)"], 6, 0, 120),
    (["--group-pattern", "ifcb"], 6, 0, 120), (["--group-level", "1"], 6, 0, 120),
    (["--group-by-date", "ifcb"], 6, 0, 120),
    (["--group-by-date", "unix", "--group-from", "id"], 13, 0, 120),
    (["--group-by-date", "D%Y%m%dT", "--missing-group", "drop"], 3, 0, 60),
    (["--missing-group", "alone"], 3, 60, 120), (["--missing-group", "drop"], 3, 0, 60)])
def test_groups_of_all_kinds(bins, tmp_path, options, n_groups, without, rows):
    code, results = fit(bins, tmp_path, *options)
    frame = pd.read_csv(tmp_path / "run.predictions.csv")
    page = (tmp_path / "run.report.html").read_text(encoding="utf-8")
    assert code == 0
    assert (results["folds"]["n_groups"], results["folds"]["without_group"]) == (n_groups, without)
    assert len(frame) == rows
    assert frame["group"].nunique() == n_groups
    assert (frame.groupby("group")["fold"].nunique() == 1).all()
    told = " ".join(results["warnings"])
    assert ("no group for them: 60 of 120 images" in told) == (rows == 60)
    assert ("no group for 60 of 120 images" in told) == bool(without)
    assert ("images without one: 60" in page) == bool(without)
    assert not (without and "no optimism was seen" in told + page)


@pytest.mark.parametrize(("options", "said"), [
    ([], "column group: no group for 60 of 120 images, such as '"),
    (["--group-pattern", r"(D\d+T)?"], "no group for 60 of 120 images"),
    (["--group-by-date", "%Y%m%d"], "No date is there, an impossible one"),
    (["--group-level", "1", "--images", "elsewhere"], "does not lie in the images' folder"),
    (["--group-pattern", "png"], "all 120 images are in one group"),
    (["--group-by-date", "unix", "--group-level", "1"], "exclude each other"),
    (["--missing-group", "drop", "--ungrouped"], "exclude each other"),
    (["--date-unit", "hour"], "goes with --group-by-date")])
def test_groups_that_are_lost_are_refused(bins, tmp_path, capsys, options, said):
    assert fit(bins, tmp_path, *options) == (1, None)
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


WRITERS = ("save_head", "write_predictions", "write_json", "write_report")


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("writer", "error", "code"), [
    *((name, OSError(errno.ENOSPC, "No space left on device"), 1) for name in WRITERS),
    ("write_report", KeyboardInterrupt(), 130)])
def test_all_files_or_none(made, tmp_path, monkeypatch, capsys, writer, error, code, overwrite):
    files = [tmp_path / f"run{suffix}" for suffix in NAMES.values()]
    for file in files if overwrite else []:
        file.write_text(f"older {file.name}")
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    its_own = getattr(result_writing, writer)

    def fail(content, path, *others, **more):
        its_own(content, path, *others, **more)
        with writing(path):
            raise error

    monkeypatch.setattr(result_writing, writer, fail)
    assert fit_head([str(made / "out.h5"), "-o", str(tmp_path / "run"), "--folds", "3", "--quiet",
                     "--pca", "8", *["--overwrite"][:overwrite]]) == code
    told = capsys.readouterr().err
    assert ".part" not in told
    assert code == 130 or f"error: {tmp_path / 'run'}." in told
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_a_set_that_a_kill_left_half_moved_is_ended_by_the_next(made, run, tmp_path, capsys):
    for suffix in NAMES.values():
        (tmp_path / f"run{suffix}").write_text("older")
    whole = whole_folder(tmp_path / "run.head")
    whole.mkdir()
    shutil.copy(run[0] / "run.results.json", tmp_path)  # moved already
    for suffix in set(NAMES.values()) - {".results.json"}:
        shutil.copy(run[0] / f"run{suffix}", whole)
    assert load_head(tmp_path / "run.head").head_id == load_head(run[0] / "run.head").head_id
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        p.name: p.read_bytes() for p in run[0].iterdir()}


def test_two_at_once_and_an_unwritable_folder_are_told_before_the_work(
        made, tmp_path, monkeypatch, capsys, small_disk):
    monkeypatch.setattr(learning, "labelled_rows", lambda _: pytest.fail("work began"))
    with Together([tmp_path / "run.head"]):
        assert fit(made, tmp_path)[0] == 1
    assert "run.head: another process is writing this file" in capsys.readouterr().err
    folder = small_disk("1m", options=",ro")
    assert fit(made, folder)[0] == 1
    assert f"{folder}/run.head: cannot be written (Read-only" in capsys.readouterr().err
