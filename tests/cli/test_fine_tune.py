"""``fine-tune`` as a person uses it, on a network that has its weights with it."""

import json
import re
import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from tiny_network import registered

from plankton_features import read_features
from plankton_features.cli.main import main
from plankton_features.errors import StoreError
from plankton_features.images.synthetic import make_vignettes

pytestmark = pytest.mark.tensorflow
SHORT = ("--canvas", "32", "--epochs", "1", "--head-epochs", "6", "--batch", "16")
TINY = ("--backbone", "efficientnet_lite0", *SHORT)
#: Of a network that trains in a second, for what is the same with any: see the fixture `tiny`.
TINIEST = ("--backbone", "tiny", "--weights", "random:0", *SHORT)
RUSSIAN = "Кладоцера"


@pytest.fixture
def tiny():
    with registered() as known:
        yield known


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A folder with images, and a network that was trained on them with most options."""
    root = tmp_path_factory.mktemp("tuned")
    make_vignettes(root / "imgs", n_classes=4, n_images=80, imbalance=3, size=(20, 40), seed=1)
    first = min((root / "imgs").iterdir())
    first.rename(root / "imgs" / RUSSIAN)
    (root / "imgs" / RUSSIAN / "broken.png").write_bytes(b"not an image")
    names = sorted(path.name for path in (root / "imgs").iterdir())
    table = [*((name, "plankton", "taxon") for name in names), ("plankton", "", "kingdom")]
    pd.DataFrame(table, columns=["name", "parent", "rank"]).to_csv(root / "tree.csv",
                                                                   index=False)
    code = main([str(a) for a in ("fine-tune", root / "imgs", root / "m.keras", *TINY,
                                  "--floor", 12, "--taxonomy", root / "tree.csv", "--export",
                                  "json,openvino", "--min-precision", "0.8")])
    assert code == 0
    return root


def test_the_round_trip(tuned, run, tmp_path):
    """Fine-tune, extract, fit, classify: one network, one recipe, the same answers."""
    features = tmp_path / "f.h5"
    assert run("extract", tuned / "imgs", features, "--backbone", tuned / "m.keras")[0] == 0
    file = read_features(features)
    assert file.recipe["backbone"] == "efficientnet_lite0"
    assert file.recipe["canvas"] == 32
    for source in (features, tuned / "imgs"):
        code, out, _ = run("classify", tuned / "m.keras", source, "-o",
                           tmp_path / f"{source.stem}.csv")
        assert code == 0, out
    a, b = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("f", "imgs"))
    assert a["taxon"].equals(b["taxon"])
    assert np.allclose(a["probability"], b["probability"], atol=1e-5)
    assert set(a["recipe_id"]) == {file.recipe_id}
    assert a["lineage"].equals(a["taxon"] + " -> plankton")
    assert run("fit", features, "--folds", "3", "--quiet")[0] == 0
    code, out, err = run("classify", tmp_path / "f.head", tuned / "imgs", "-o",
                         tmp_path / "new.csv", "--weights", tuned / "m.keras")
    assert code == 0, err
    assert len(pd.read_csv(tmp_path / "new.csv")) == 80


def test_predictions_of_the_test_part_are_the_networks_own(tuned):
    """Read by plain Keras, without this package."""
    import keras
    from PIL import Image

    told = pd.read_csv(tuned / "m.predictions.csv")
    results = json.loads((tuned / "m.results.json").read_text(encoding="utf-8"))
    model = keras.models.load_model(tuned / "m.keras")
    from plankton_features.images import Framing, frame, read_image

    pixels = np.stack([frame(read_image(tuned / "imgs" / path), Framing(32))
                       for path in told["path"]])
    assert isinstance(Image.fromarray(pixels[0]), Image.Image)
    answers = model(np.repeat(pixels[..., None], 3, 3)).numpy().argmax(axis=1)
    assert [results["classes"][k] for k in answers] == told["taxon"].tolist()


def test_files_and_report(tuned):
    results = json.loads((tuned / "m.results.json").read_text(encoding="utf-8"))
    assert results["options"]["classifier"] == "network"
    assert [row["after"] for row in results["sampling"]] == [
        max(row["before"], 12) for row in results["sampling"]]
    assert results["taxonomy"]["ranks"][0]["accuracy"]["estimate"] == 1.0  # one kingdom
    assert any("1 image could not be used" in text for text in results["warnings"])
    log = pd.read_csv(tuned / "m.log.csv")
    assert len(log) == len(results["curves"])
    assert {"macro_precision", "macro_recall", "validation_loss"} <= set(log)
    assert any((tuned / "m.tensorboard").iterdir())
    page = (tuned / "m.report.html").read_text(encoding="utf-8")
    assert RUSSIAN in page
    assert "Learning curves" in page
    assert not (tuned / "m.training").exists()


def test_what_is_written_is_documented(tuned):
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    results = json.loads((tuned / "m.results.json").read_text(encoding="utf-8"))
    log = list(pd.read_csv(tuned / "m.log.csv"))
    with ZipFile(tuned / "m.keras") as archive:
        parts = archive.namelist()
        told = json.loads(archive.read("plankton_features/description.json"))
    for name in (*results, *results["taxonomy"], *log, *parts, *told):
        assert f"`{name}`" in page, name
    assert set(results["curves"][0]) == {*log, "best"}
    columns = page.split("## Log of fine-tuning")[1].split("## ")[0]
    assert [n for n in re.findall(r"`(\w+)`", columns) if n in log] == log


def test_exports_agree(tuned):
    import keras

    model = keras.models.load_model(tuned / "m.keras")
    again = keras.models.model_from_json((tuned / "m.json").read_text())
    again.load_weights(tuned / "m.weights.h5")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    assert np.allclose(model(pixels).numpy(), again(pixels).numpy(), atol=1e-4)
    assert (tuned / "m.xml").exists()
    assert (tuned / "m.bin").exists()


def test_tensorboard_events_are_numbers_by_epoch(tuned):
    from tensorflow.core.util.event_pb2 import Event
    from tensorflow.python.lib.io.tf_record import tf_record_iterator

    file = next((tuned / "m.tensorboard").iterdir())
    events = [Event.FromString(record) for record in tf_record_iterator(str(file))]
    found = {value.tag for event in events for value in event.summary.value}
    assert {"loss", "macro_precision", "macro_recall", "mcc"} <= found


def test_what_is_there_is_not_replaced_unasked(tuned, run):
    code, _, err = run("fine-tune", tuned / "imgs", tuned / "m.keras", *TINY)
    assert code == 1
    assert "is there already" in err
    assert "--overwrite" in err


def test_a_damaged_checkpoint_is_told_and_kept(tuned, run, tmp_path):
    checkpoint = tmp_path / "m.training" / "checkpoint.npz"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"something")
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINY)
    assert code == 1
    assert "checkpoint.npz: damaged" in err
    assert "elsewhere to begin anew, or choose another name" in err
    assert checkpoint.read_bytes() == b"something"


@pytest.mark.parametrize(("options", "told"), [
    (("--cache-frozen",), "--augment none or --augment turns"),
    (("--sampler", "smote"), "expected one of none, class-weight"),
    (("--unfreeze", "99"), "--list-layers"),
    (("--sampler", "square-root", "--floor", "9"), "floor"),
    (("--dropout", "1"), "dropout: expected a number from 0"),
    (("--base-lr", "-1"), "rate"),
    (("--minutes", "0"), "minutes: expected a number above 0"),
    (("--weights", "nowhere.h5"), "no such weight file"),
    (("--from", "nowhere.head"), "no such head file"),
    (("--taxonomy", "nowhere.csv"), "no such taxonomy"),
    (("--export", "pdf"), "the format 'pdf' is not known"),
    (("--layer", "nothing"), "no such layer"),
    (("--cache-frozen", "--augment", "none", "--unfreeze", "all"), "no layer is frozen"),
])
def test_wrong_options_are_told_and_nothing_is_written(tuned, run, tmp_path, options, told):
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINY, *options)
    assert code == 1
    assert told in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("content", "told"), [
    (b"name;rank\nx;y\n", "expected columns name, parent, rank"),
    (b"\xff\xfe\x00", "not a table"),
    (b"sep=;\r\nname;parent\r\n", "expected at least one taxon"),
    ("name\tparent\nM\u00e9duse\tnowhere\n".encode("utf-16"), "nowhere (of M\u00e9duse)"),
])
def test_a_taxonomy_that_is_none_is_told(tuned, run, tmp_path, content, told):
    (tmp_path / "tree.csv").write_bytes(content)
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINY, "--taxonomy",
                       tmp_path / "tree.csv")
    assert code == 1
    assert told in err
    assert not (tmp_path / "m.keras").exists()


@pytest.mark.parametrize(("given", "code", "told"), [
    (("--test-size", "7"), 2, "expected 5, 10 ... 95 percent, got '7'"),
    (("--epochs", "x"), 2, "expected a whole number"),
    (("--from", "{root}/m.keras", "--canvas", "64"), 1, "leave --canvas out"),
])
def test_what_does_not_go_together(tuned, run, tmp_path, given, code, told):
    options = [option.format(root=tuned) for option in given]
    got, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *options)
    assert got == code
    assert told in err


def test_names_are_needed(run):
    code, _, err = run("fine-tune", "imgs")
    assert code == 2
    assert "expected IMAGES and MODEL.keras" in err


def test_images_without_labels(tuned, run, tmp_path):
    flat = tmp_path / "flat"
    shutil.copytree(min((tuned / "imgs").iterdir()), flat)
    code, _, err = run("fine-tune", flat, tmp_path / "m.keras", *TINY)
    assert code == 1
    assert "no image has a label. Put the images into one folder" in err


def test_a_network_trained_further_says_so(tuned, run, tmp_path):
    """Its layers are listed, a number is a background, and its scores may be too good."""
    assert "block7a" in run("fine-tune", "--list-layers", "--backbone", tuned / "m.keras")[1]
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", "--backbone",
                       tuned / "m.keras", "--epochs", "0", "--head-epochs", "1", "--quiet")
    assert code == 0, err
    told = json.loads((tmp_path / "m.results.json").read_text(encoding="utf-8"))["warnings"]
    assert any("Training began with a fine-tuned network" in one for one in told)


def test_groups_that_are_the_labels(tuned, run, tmp_path):
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINY, "--group-level",
                       "-1")
    assert code == 1
    assert "Are these groups the labels?" in err


def test_images_without_a_group_are_refused_before_anything_is_read(tuned, run, tmp_path):
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINY, "--group-pattern",
                       r"_(\d)0.*|_00(00.*)")
    assert code == 1
    assert "no group for" in err
    assert "--missing-group drop" in err
    assert not list(tmp_path.iterdir())


def test_an_output_of_another_kind_is_refused(tuned, run, tmp_path):
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.h5", *TINY)
    assert code == 1
    assert "ends with .keras" in err


def test_one_class_only(run, tmp_path):
    make_vignettes(tmp_path / "imgs", n_classes=1, n_images=9, size=(20, 40))
    code, _, err = run("fine-tune", tmp_path / "imgs", tmp_path / "m.keras", *TINY)
    assert code == 1
    assert "expected at least two classes" in err


def test_more_failures_than_allowed(tuned, run, tmp_path, tiny):
    code, *_ = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINIEST, "--epochs", "0",
                   "--max-failures", "0")
    assert code == 3
    assert (tmp_path / "m.keras").exists()


def test_overwrite_with_a_typo_loses_nothing(tuned, run):
    before = (tuned / "m.keras").read_bytes()
    code, *_ = run("fine-tune", tuned / "imgs", tuned / "m.keras", *TINY, "--overwrite",
                   "--sampler", "smote")
    assert code == 1
    assert (tuned / "m.keras").read_bytes() == before


def test_a_class_with_one_image(tuned, run, tmp_path, tiny):
    shutil.copytree(tuned / "imgs", tmp_path / "imgs")
    one = tmp_path / "imgs" / "alone" / "1.png"
    one.parent.mkdir()
    shutil.copy(next((tmp_path / "imgs" / RUSSIAN).glob("*.png")), one)
    one.write_bytes(one.read_bytes() + b"\0")  # another content, the same picture
    code, out, err = run("fine-tune", tmp_path / "imgs", tmp_path / "m.keras", *TINIEST, "--epochs",
                         "0")
    assert code == 0, err
    assert "fewer than 20 images" in out


def test_layers_are_listed(run):
    code, out, _ = run("fine-tune", "--list-layers", "--backbone", "efficientnet_lite0")
    assert code == 0
    assert "block7a_project_conv" in out
    assert "--unfreeze 2 trains" in out


def test_it_begins_as_a_head(tuned, run, tmp_path):
    """No epoch is trained: the network answers as the head that it began with."""
    features, given = tmp_path / "f.h5", ("--preset", "fast", "--canvas", "32")
    assert run("extract", tuned / "imgs", features, *given, "--quiet")[0] == 0
    assert run("fit", features, "--folds", "3", "--calibration", "none", "--quiet")[0] == 0
    begin = ("fine-tune", tuned / "imgs", tmp_path / "m.keras", "--from", tmp_path / "f.head")
    assert "Leave one of the two out" in run(*begin, "--hidden", "9")[2]
    code, _, err = run(*begin, "--epochs", "0", "--calibration", "none")
    assert code == 0, err
    assert run("extract", tuned / "imgs", tmp_path / "g.h5", "--backbone", tmp_path / "m.keras",
               "--quiet")[0] == 0
    for head, source in (("f.head", "f.h5"), ("m.keras", "g.h5")):
        assert run("classify", tmp_path / head, tmp_path / source, "-o",
                   tmp_path / f"{head}.csv")[0] == 0
    a, b = (pd.read_csv(tmp_path / f"{head}.csv") for head in ("f.head", "m.keras"))
    assert a["taxon"].equals(b["taxon"])
    assert np.allclose(a["probability"], b["probability"], atol=1e-3)


def test_a_model_file_runs_no_code_of_its_own(tuned, run, tmp_path):
    """Keras' configuration could name code; it is not read."""
    forged = tmp_path / "m.keras"
    with ZipFile(tuned / "m.keras") as source, ZipFile(forged, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "config.json":
                data = b'{"module": "os", "class_name": "system", "config": {"command": "false"}}'
            target.writestr(name, data)
    code, _, err = run("extract", tuned / "imgs", tmp_path / "f.h5", "--backbone", forged)
    assert code == 0, err


@pytest.mark.parametrize(("change", "told"), [
    (None, "it lacks what fine-tune adds"),
    ({"format": "other"}, "format other 1: update plankton_features"),
    ({"version": 99}, "99: update plankton_features"),
    ({"recipe": []}, "recipe cannot be right"),
    ({"more": "x" * 2**26}, "description.json takes 67,109,389 bytes, expected at most"),
])
def test_a_description_that_will_not_do(tuned, run, tmp_path, change, told):
    damaged, name = tmp_path / "m.keras", "plankton_features/description.json"
    with ZipFile(tuned / "m.keras") as source, ZipFile(damaged, "w") as target:
        target.writestr("model.weights.h5", source.read("model.weights.h5"))
        if change is not None:
            target.writestr(name, json.dumps(json.loads(source.read(name)) | change))
    code, _, err = run("extract", tuned / "imgs", tmp_path / "f.h5", "--backbone", damaged)
    assert code == 1
    assert told in err


def test_a_model_file_brings_its_weights(tuned, run, tmp_path):
    code, _, err = run("extract", tuned / "imgs", tmp_path / "f.h5", "--backbone",
                       tmp_path / "nowhere.keras")
    assert code == 1
    assert "no such file. Expected a network that plankton-features fine-tune" in err
    code, _, err = run("extract", tuned / "imgs", tmp_path / "f.h5", "--backbone",
                       tuned / "m.keras", "--weights", "random")
    assert code == 1
    assert "holds its own. Leave --weights out" in err


@pytest.mark.parametrize("name", ["plankton_features/description.json", "model.weights.h5",
                                  "plankton_features/head"])
def test_a_damaged_model_file_is_told(tuned, run, tmp_path, name):
    damaged = tmp_path / "m.keras"
    with ZipFile(tuned / "m.keras") as source, ZipFile(damaged, "w") as target:
        for other in source.namelist():
            target.writestr(other, source.read(other) if other != name else b"rubbish")
    code, _, err = run("classify", damaged, tuned / "imgs", "-o", tmp_path / "p.csv")
    assert code == 1
    assert str(damaged) in err
    assert "unexpected" not in err


def test_a_run_goes_on_with_its_own_options(tuned, run, tmp_path, monkeypatch, tiny):
    from plankton_features.cli import fine_tune_work

    class Stopping(fine_tune_work.TrainingDisplay):
        def __call__(self, progress):
            if progress.epoch == 2:
                raise KeyboardInterrupt

    imgs, output = tuned / "imgs", tmp_path / "m.keras"
    with monkeypatch.context() as patch:
        patch.setattr(fine_tune_work, "TrainingDisplay", Stopping)
        assert run("fine-tune", imgs, output, *TINIEST, "--floor", 12, "--seed", 3)[0] == 130
    code, _, err = run("fine-tune", imgs, output, "--floor", 13)
    assert code == 1
    assert "floor: found 12, asked for 13" in err
    assert "epochs" not in err
    code, out, err = run("fine-tune", imgs, output)
    assert code == 0, err
    assert "goes on where a run was broken off" in out
    told = json.loads((tmp_path / "m.results.json").read_text(encoding="utf-8"))
    assert {name: told["options"][name] for name in ("epochs", "head_epochs", "floor", "seed")} == {
        "epochs": 1, "head_epochs": 6, "floor": 12, "seed": 3}
    assert not (tmp_path / "m.training").exists()


def test_all_files_or_none(tuned, run, tmp_path, monkeypatch, tiny):
    from plankton_features.report import writing

    def fail(*_):
        raise StoreError("m.report.html: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_report", fail)
        code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", *TINIEST)
    assert code == 1
    assert "the disk is full" in err
    left = {"m.training", "m.tensorboard", "m.log.csv"}
    assert {path.name for path in tmp_path.iterdir()} == left
    code, _, err = run("fine-tune", tuned / "imgs", tmp_path / "m.keras", "--resume")
    assert code == 0, err
    assert {path.name for path in tmp_path.iterdir()} == left - {"m.training"} | {
        "m.keras", "m.report.html", "m.results.json", "m.predictions.csv"}
