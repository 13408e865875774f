"""The command line as a person uses it."""

import os
import pty
import re
import subprocess
import sys
import unicodedata
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from plankton_features import read_features
from plankton_features.cli import display
from plankton_features.cli.main import COMMANDS
from plankton_features.embedding import download, presets
from plankton_features.errors import WeightsError


def test_the_main_job(images, tmp_path, extract):
    code, out, err = extract(images, tmp_path / "out.h5")
    assert code == 0
    assert "14 found = 12 written + 1 duplicates + 1 failed" in out
    assert re.search(r"time .*read \d+%, frame \d+%, compute \d+%, write \d+%", out)
    assert "NumPy, float32" in out
    assert "broken.jpg: decode" in out
    assert "label conflict" in out
    assert "1 other files left aside (.txt)" in out
    file = read_features(tmp_path / "out.h5")
    assert set(file.y) == {"Calanus finmarchicus", "Кладоцера", "bubble"}
    assert not err


def test_pictures_are_measured_on_request_and_then_always(images, tmp_path, extract):
    path = tmp_path / "out.h5"
    extract(images, path)
    code, _, err = extract(images, path, "--morphometry")
    assert code == 1
    assert "morphometry: found none, asked for plain" in err
    assert extract(images, path, "--feret", "--update")[0] == 0
    assert {"area_px", "feret_max_px"} <= set(read_features(path).extra_columns)
    code, out, _ = extract(images, path)
    assert code == 0
    assert "is complete: nothing to do" in out
    assert extract(images, path, "--overwrite")[0] == 0
    assert read_features(path).extra_columns == {}


def test_a_second_run_has_nothing_to_do(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    before = (tmp_path / "out.h5").stat()
    code, out, _ = extract(images, tmp_path / "out.h5")
    assert code == 0
    assert "is complete: nothing to do" in out
    assert "14 found = 12 written + 1 duplicates + 1 failed" in out
    assert (tmp_path / "out.h5").stat() == before


def test_another_recipe_is_refused_and_named(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    before = (tmp_path / "out.h5").read_bytes()
    code, _, err = extract(images, tmp_path / "out.h5", "--views", "none", "--background", "white")
    assert code == 1
    assert "views: found rot4, asked for none" in err
    assert "background: found border, asked for white" in err
    assert "canvas" not in err
    assert "--overwrite" in err
    assert (tmp_path / "out.h5").read_bytes() == before


def test_another_catalog_is_refused_and_update_takes_over(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    old = read_features(tmp_path / "out.h5").to_frame()
    (images / "bubble" / "0.png").rename(images / "bubble" / "renamed.png")
    code, _, err = extract(images, tmp_path / "out.h5")
    assert code == 1
    assert "path: found other values, asked for as now" in err
    assert "label" not in err
    assert "--update" in err
    code, out, _ = extract(images, tmp_path / "out.h5", "--update")
    assert code == 0
    assert "12 vectors from the file before" in out
    new = read_features(tmp_path / "out.h5").to_frame()
    np.testing.assert_array_equal(new.loc["bubble/renamed.png"], old.loc["bubble/0.png"])


def test_overwrite_replaces(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    code, _, _ = extract(images, tmp_path / "out.h5", "--views", "none", "--overwrite")
    assert code == 0
    assert read_features(tmp_path / "out.h5").recipe["views"] == "none"


@pytest.fixture
def stages(tmp_path):
    """Life stages in folders of taxa, one of them under another spelling."""
    root = tmp_path / "stages"
    for i, folder in enumerate(("fish/adult", "copepod/adult", "copepod/juv", "Fish/adult")):
        put_image(root / folder / "1.png", 100 + i)
    return root


def put_image(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (18, 24), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def test_doubtful_labels_are_told(stages, tmp_path, extract):
    for options in ((), ("--dry-run",)):
        _, out, _ = extract(stages, tmp_path / "out.h5", *options)
        assert ("The class 'adult' is made of 3 folders (Fish/adult, copepod/adult, fish/adult)"
                in out)
        assert "--label-level" in out
    _, out, _ = extract(stages, tmp_path / "level.h5", "--label-level", "1")
    assert sorted(read_features(tmp_path / "level.h5").y) == ["Fish", "copepod", "copepod", "fish"]
    assert "'Fish' (1 image) and 'fish' (1 image) differ only in case" in out
    assert "folders" not in out
    (tmp_path / "t.csv").write_text("path,label\nstages/fish/adult/1.png,adult\n"
                                    "stages/copepod/adult/1.png,adult\n")
    _, out, _ = extract(tmp_path / "t.csv", tmp_path / "t.h5")
    assert "note" not in out  # whoever writes a label means it


def test_a_level_that_is_not_there_is_refused(stages, tmp_path, extract, run):
    code, _, err = extract(stages, tmp_path / "out.h5", "--label-level", "3")
    assert code == 1
    assert "label-level 3: " in err
    code, _, err = run("fine-tune", stages, tmp_path / "m.keras", "--label-level", "3",
                       "--backbone", "efficientnet_lite0")
    assert code == 1
    assert "label-level 3: " in err


def test_names_in_another_normal_form_are_found(tmp_path, extract, run):
    (nfc, nfd), root = (unicodedata.normalize(f, "Méduse") for f in ("NFC", "NFD")), tmp_path / "i"
    for i in range(3):
        put_image(root / nfd / f"{i}.png", i)
    rows = "".join(f"i/{nfc}/{i}.png,{nfc}\n" for i in range(3))
    (tmp_path / "t.csv").write_text("path,label\n" + rows, encoding="utf-8")
    _, out, _ = extract(tmp_path / "t.csv", tmp_path / "t.h5")
    assert "3 found = 3 written + 0 duplicates + 0 failed" in out
    assert read_features(tmp_path / "t.h5").paths[0] == f"i/{nfc}/0.png"
    assert "nothing to do" in extract(tmp_path / "t.csv", tmp_path / "t.h5")[1]
    assert run("verify", tmp_path / "t.h5", tmp_path / "t.csv")[0] == 0
    extract(root, tmp_path / "i.h5")
    (root / nfd).rename(tmp_path / "held")
    (tmp_path / "held").rename(root / nfc)
    code, out, _ = run("verify", tmp_path / "i.h5", root)
    assert "3 files compared: 0 missing, 0 changed, 0 not in the file" in out
    assert code == 0


def test_folders_that_systems_leave_are_said(images, tmp_path, extract):
    for place in ("@eaDir", "bubble/@eaDir", "lost+found"):
        (images / place).mkdir()
        (images / place / "1.png").write_bytes((images / "bubble" / "0.png").read_bytes())
    _, out, _ = extract(images, tmp_path / "out.h5")
    assert "14 images, 3 classes; 1 other files and 3 folders left aside (.txt, lost+found/, " \
           "@eaDir/)" in out
    assert set(read_features(tmp_path / "out.h5").y) == {"Calanus finmarchicus", "Кладоцера",
                                                         "bubble"}
    _, out, _ = extract(images, tmp_path / "out.h5", "--dry-run")
    assert "3 folders left aside" in out


@pytest.mark.parametrize("command", [
    "extract {pipe} {out}", "classify {head} {pipe} -o {out}", "verify {file} {pipe}",
    "fine-tune {pipe} {out}.keras --backbone efficientnet_lite0",
    "fine-tune {images} {out}.keras --backbone efficientnet_lite0 --taxonomy {pipe}",
])
def test_a_pipe_is_refused_and_not_read(images, tmp_path, extract, run, command):
    extract(images, tmp_path / "f.h5")
    run("fit", tmp_path / "f.h5", "--folds", 3, "--quiet")
    pipe = tmp_path / "images.csv"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(held, b"path\na.png\n")
        names = {"pipe": pipe, "head": tmp_path / "f.head", "file": tmp_path / "f.h5",
                 "images": images, "out": tmp_path / "new"}
        code, _, err = run(*(word.format(**names) for word in command.split()))
        assert code == 1
        assert f"{pipe}: expected a" in err
        assert os.read(held, 99) == b"path\na.png\n"
    finally:
        os.close(held)
    assert not list(tmp_path.glob("new*"))


@pytest.mark.parametrize(("allowed", "code"), [("0", 3), ("1", 0)])
def test_max_failures(images, tmp_path, extract, allowed, code):
    assert extract(images, tmp_path / "out.h5", "--max-failures", allowed)[0] == code
    assert len(read_features(tmp_path / "out.h5")) == 12


def test_all_failed_is_not_success(tmp_path, extract):
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs" / "a.png").write_bytes(b"")
    code, out, _ = extract(tmp_path / "imgs", tmp_path / "out.h5")
    assert code == 3
    assert "1 found = 0 written + 0 duplicates + 1 failed" in out


@pytest.mark.parametrize(("source", "message"), [
    ("nowhere", "expected a folder of images or a CSV table, found nothing there"),
    ("empty", "expected images"),
    ("imgs/notes.txt", "expected a column named 'path'"),
    ("imgs/bubble/0.png", "Give the folder that holds it"),
])
def test_wrong_sources(images, tmp_path, extract, source, message):
    (tmp_path / "empty").mkdir()
    code, out, err = extract(tmp_path / source, tmp_path / "out.h5")
    assert code == 1
    assert message in err
    assert "Traceback" not in err + out
    assert not list(tmp_path.glob("out.h5*"))


def test_swapped_arguments(images, tmp_path, extract):
    code, _, err = extract(images, images / "bubble" / "0.png")
    assert code == 1
    assert "The order is: extract-features IMAGES OUT.h5" in err


def test_a_file_of_something_else_is_kept(images, tmp_path, extract):
    (tmp_path / "out.h5").write_text("my thesis")
    code, _, err = extract(images, tmp_path / "out.h5")
    assert code == 1
    assert "not a feature file" in err
    assert (tmp_path / "out.h5").read_text() == "my thesis"


def test_debug_shows_a_traceback(tmp_path, extract):
    _, _, err = extract(tmp_path / "nowhere", tmp_path / "out.h5", "--debug")
    assert "Traceback" in err


def test_usage_errors_exit_with_2(images, run):
    assert run("extract")[0] == 2
    assert run("extract", images)[0] == 2
    assert run("extract", images, "out.h5", "--views", "sideways")[0] == 2
    assert run("extract", images, "out.h5", "--overwrite", "--update")[0] == 2
    assert run("nonsense")[0] == 2
    assert run()[0] == 2


@pytest.mark.parametrize(("option", "value", "message"), [
    ("--pooling", "avg,median", "pooling: expected one of avg, max, gem, spp"),
    ("--background", "300", "background: expected border, white, black or 0..255"),
    ("--canvas", "4", "canvas: pixels takes 8 to 4096 px, got 4"),
    ("--crop-bottom", "-1", "crop-bottom: expected a whole number, 0 or more"),
    ("--backbone", "vgg", "backbone 'vgg' is not known. Choose one of: inception_v3"),
])
def test_values_that_cannot_be(images, tmp_path, run, option, value, message):
    options = {"--backbone": "pixels", "--canvas": "32", option: value}
    code, _, err = run("extract", images, tmp_path / "o.h5",
                       *[part for pair in options.items() for part in pair])
    assert code == 1
    assert message in err


def test_dry_run_writes_nothing(images, tmp_path, run):
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = run("extract", images, "--dry-run", "--backbone", "pixels", "--canvas", "32")
    assert code == 0
    assert re.search(r"bubble\W+6\b", out)
    assert re.search(r"duplicates +1, of which 1 under another label", out)
    assert "broken.jpg: decode" in out
    assert re.search(r"time +about 0:0\d", out)
    assert re.search(r"width +24 - 24 px", out)
    assert "12 grey" in out
    assert sorted(tmp_path.rglob("*")) == before


def test_table_of_paths(images, tmp_path, extract):
    table = images / "table.csv"
    table.write_text("path;label;group;id\nbubble\\0.png;gas;tow1;a\nbubble/1.png;gas;tow2;b\n"
                     "bubble/none.png;gas;tow2;c\n", encoding="utf-8-sig")
    code, out, _ = extract(table, tmp_path / "out.h5")
    assert code == 0
    assert "3 found = 2 written + 0 duplicates + 1 failed" in out
    file = read_features(tmp_path / "out.h5")
    assert list(file.groups) == ["tow1", "tow2"]
    assert list(file.images["id"]) == ["a", "b"]


def test_interrupted_run_says_how_to_continue(images, tmp_path, extract, monkeypatch):
    from plankton_features.images import preparing

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preparing.Preparer, "_prepare_one", interrupted)
        code, _, err = extract(images, tmp_path / "out.h5")
    assert code == 130
    assert "run the same command again" in err
    assert (tmp_path / "out.h5.partial").exists()
    assert extract(images, tmp_path / "out.h5")[0] == 0
    assert len(read_features(tmp_path / "out.h5")) == 12


def test_log_lines_show_counts_speed_and_failures(images, tmp_path, extract, monkeypatch):
    monkeypatch.setattr(display, "SECONDS_BETWEEN_LINES", 0.0)
    _, _, err = extract(images, tmp_path / "out.h5")
    assert re.search(r"14 of 14 images, [\d,]+ images/s, 0:00 left, 1 failed", err)


def test_odd_metadata_prints_nothing(images, tmp_path):
    body = b"acTL" + bytes(8)
    animation_of_no_frames = b"\0\0\0\x08" + body + zlib.crc32(body).to_bytes(4)
    whole = (images / "bubble" / "0.png").read_bytes()
    (images / "bubble" / "0.png").write_bytes(whole[:33] + animation_of_no_frames + whole[33:])
    command = [sys.executable, "-m", "plankton_features", "extract", images,
               tmp_path / "out.h5", "--backbone", "pixels"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "12 written" in done.stdout
    assert not done.stderr


def test_update_says_what_leaves_the_file(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    (images / "bubble" / "1.png").unlink()
    _, out, _ = extract(images, tmp_path / "out.h5", "--update")
    assert re.search(r"dropped +1 vector of the file before", out)
    assert len(read_features(tmp_path / "out.h5")) == 11


def command_line(images, output):
    return [sys.executable, "-m", "plankton_features", "extract", images, output,
            "--backbone", "pixels", "--canvas", "32"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_without_the_letters(images, tmp_path, encoding):
    (images / "bubble").rename(images / "пузырь")
    done = subprocess.run(command_line(images, tmp_path / "out.h5"), capture_output=True,
                          env={**os.environ, "PYTHONIOENCODING": encoding}, check=False)
    assert done.returncode == 0, done.stderr
    assert b"12 written" in done.stdout
    assert b"\\u043f" in done.stdout


def test_a_pipe_that_closes_does_not_stop_the_work(images, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command_line(images, tmp_path / "out.h5"), stdout=writer,
                          stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == 0, done.stderr
    assert len(read_features(tmp_path / "out.h5")) == 12


def test_conflicts_are_told_with_both_labels(images, tmp_path, extract):
    assert ("label conflict Кладоцера/0.png (Кладоцера) is the same picture as bubble/same.png "
            "(bubble)") in extract(images, tmp_path / "out.h5")[1]


def test_names_are_no_emoji(images, tmp_path, extract):
    (images / ":bug:").mkdir()
    (images / ":bug:" / "x.png").write_bytes(b"")
    _, out, _ = extract(images, tmp_path / "out.h5")
    assert ":bug:/x.png: read: empty file" in out


def test_quiet_prints_only_the_summary(images, tmp_path, extract):
    _, out, err = extract(images, tmp_path / "out.h5", "--quiet")
    assert out.startswith("images     14 found")
    assert not err


def read_to_end(screen):
    """What a terminal was sent until nobody writes to it any more."""
    parts = []
    with suppress(OSError):  # how Linux tells the end
        while part := os.read(screen, 65536):
            parts.append(part)
    os.close(screen)
    return b"".join(parts).decode()


def test_the_bar_on_a_terminal(images, tmp_path):
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "plankton_features", "extract", images,
               tmp_path / "out.h5", "--backbone", "pixels", "--canvas", "32"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stderr=terminal, stdout=subprocess.DEVNULL,
                          env=environment) as run:
        os.close(terminal)
        shown = read_to_end(screen)
    assert run.returncode == 0
    assert "14 of 14 images" in shown
    assert "100 %" in shown
    assert "left" in shown
    assert "1 failed" in shown


def test_lists(run):
    code, out, _ = run("extract", "--list-backbones")
    assert code == 0
    for name in ("inception_v3", "efficientnet_lite0", "convnext_tiny", "pixels"):
        assert name in out
    assert run("extract", "--list-layers", "--backbone", "pixels")[0] == 1


@pytest.mark.tensorflow
def test_list_layers(run):
    code, out, _ = run("extract", "--list-layers", "--preset", "notebook")
    assert code == 0
    assert re.search(r"\b310 +mixed10 +Concatenate +8 x 8 +2048", out)


def test_a_backbone_asked_for_by_name_never_falls_back(images, tmp_path, run, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(download, "_fetch", no_network)
    code, _, err = run("extract", images, tmp_path / "out.h5", "--backbone", "inception_v3")
    assert code == 1
    assert "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5" in err
    assert str(tmp_path / "keras" / "models") in err
    assert "--backbone efficientnet_lite0" in err
    assert not list(tmp_path.glob("out.h5*"))


@pytest.mark.tensorflow
def test_the_default_backbone_falls_back_aloud_and_for_good(images, tmp_path, run, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(download, "_fetch", no_network)
    options = (images, tmp_path / "out.h5", "--canvas", "64", "--views", "none")
    code, out, _ = run("extract", *options)
    assert code == 0
    assert out.count("Using efficientnet_lite0 instead of inception_v3") == 1
    assert "no route to host" in out
    assert read_features(tmp_path / "out.h5").recipe["backbone"] == "efficientnet_lite0"

    monkeypatch.setattr(presets, "resolve_auto", never)
    code, out, _ = run("extract", *options)
    assert code == 0
    assert "nothing to do" in out


def test_downloads_are_shown(capsys):
    shown = display.DownloadShown()
    for done in (1_000_000, 2_000_000, 84_000_000):
        shown(done, 84_000_000)
    assert capsys.readouterr().err.splitlines() == ["downloading weights: 1 of 84 MB",
                                                    "downloading weights: 84 of 84 MB"]


def no_network(*args, **kwargs):
    raise OSError("no route to host")


def never(*args, **kwargs):
    raise WeightsError("the backbone must not be chosen again")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "--debug" in out


def test_version(run):
    code, out, _ = run("--version")
    assert code == 0
    assert re.match(r"\d+\.\d+", out)


def test_a_dry_run_is_that_of_the_file(images, tmp_path, run):
    run("extract", images, tmp_path / "out.h5", "--backbone", "pixels", "--canvas", "40")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run("extract", images, tmp_path / "out.h5", "--dry-run")
    assert code == 0, err
    assert "resize 40 px" in out
    assert sorted(tmp_path.rglob("*")) == before


def test_other_pictures_under_the_same_names(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    path = images / "bubble" / "1.png"
    Image.new("L", (24, 18), 7).save(path)
    code, out, err = extract(images, tmp_path / "out.h5")
    assert code == 1
    assert "nothing to do" not in out
    assert "changed: 1 of 14 files, such as bubble/1.png" in err
    assert "--update" in err
    code, out, _ = extract(images, tmp_path / "out.h5", "--update")
    assert code == 0
    assert "11 vectors from the file before" in out
    assert "nothing to do" in extract(images, tmp_path / "out.h5")[1]


def test_an_update_of_what_cannot_be_reached(images, tmp_path, extract):
    table = tmp_path / "table.csv"
    table.write_text("path\n" + "".join(f"imgs/bubble/{i}.png\n" for i in range(4)))
    extract(table, tmp_path / "out.h5")
    before = (tmp_path / "out.h5").read_bytes()
    images.rename(tmp_path / "not mounted")
    code, _, err = extract(table, tmp_path / "out.h5", "--update")
    assert code == 1
    assert "4 of its 4 vectors would be dropped" in err
    assert "4 images cannot be used that could, such as imgs/bubble/0.png" in err
    assert (tmp_path / "out.h5").read_bytes() == before
    assert extract(table, tmp_path / "out.h5", "--update", "--drop")[0] == 3
    assert len(read_features(tmp_path / "out.h5")) == 0


@pytest.mark.parametrize("update", [(), ("--update",)])
def test_without_options_a_file_goes_on_with_its_own(images, tmp_path, run, update):
    given = ("--backbone", "pixels", "--canvas", "40", "--pooling", "max", "--size-features",
             "--batch", "3")
    assert run("extract", images, tmp_path / "out.h5", *given)[0] == 0
    recipe = read_features(tmp_path / "out.h5").recipe
    code, _, err = run("extract", images, tmp_path / "out.h5", *update)
    assert code == 0, err
    file = read_features(tmp_path / "out.h5")
    assert (file.recipe, file.attributes["batch"]) == (recipe, 3)
    code, _, err = run("extract", images, tmp_path / "out.h5", "--canvas", "32", *update)
    assert code == 1
    assert "canvas: found 40, asked for 32" in err
    assert "pooling" not in err


@pytest.fixture
def deep(tmp_path):
    """Pictures of a 12-bit camera, one of them with light beyond; one file of two pages."""
    rng = np.random.default_rng(0)
    (tmp_path / "deep" / "a").mkdir(parents=True)
    for i in range(4):
        values = rng.integers(0, 4096, (20, 20)).astype(np.uint16)
        values[:2] = 9000 if i == 3 else 4095
        pages = [Image.fromarray(values)] * (2 if i == 1 else 1)
        pages[0].save(tmp_path / "deep" / "a" / f"{i}.tif", save_all=True, append_images=pages[1:])
    return tmp_path / "deep"


def test_odd_pictures_are_told(deep, tmp_path, extract, run):
    told = ("different scales (white is 4,095 in 3, 65,535 in 1)",
            "1 picture is nearly constant", "1 file has several pages or frames")
    flat = np.full((20, 20), 70, np.uint8)
    Image.fromarray(flat).save(deep / "a" / "flat.png")
    for options in (("--dry-run",), ()):
        code, out, _ = extract(deep, tmp_path / "out.h5", *options)
        assert code == 0
        assert all(text in out for text in told)
    _, out, _ = run("info", tmp_path / "out.h5")
    assert re.search(r"several_pages +1\b", out)
    assert re.search(r"nearly_constant +1\b", out)
    assert re.search(r"full_scales +4095 in 3, 65535 in 1", out)
    _, out, _ = run("info", tmp_path / "out.h5", "--problems")
    assert out.splitlines() == ["several pages\ta/1.tif\tonly the first is used",
                                "nearly constant\ta/flat.png\tall values within 1 of 256"]
    _, out, _ = run("info", tmp_path / "out.h5", "--json")
    assert '"full_scales": {\n    "4095": 3,\n    "65535": 1\n  }' in out


def test_ordinary_pictures_bring_no_remark(images, tmp_path, extract):
    _, out, _ = extract(images, tmp_path / "out.h5")
    assert "nearly constant" not in out
    assert "scales" not in out
    assert "pages" not in out


def test_one_depth_for_all(deep, tmp_path, extract, run):
    code, out, _ = extract(deep, tmp_path / "out.h5", "--depth", "12")
    assert code == 0
    assert "4 found = 3 written + 0 duplicates + 1 failed" in out
    assert "sample value 9000 does not fit the depth 12" in out
    assert "depth 12" in out
    assert "scales" not in out
    before = read_features(tmp_path / "out.h5")
    assert extract(deep, tmp_path / "out.h5")[0] == 0  # the file's own
    code, _, err = extract(deep, tmp_path / "out.h5", "--depth", "16")
    assert code == 1
    assert "depth: found 12, asked for 16" in err
    extract(deep, tmp_path / "auto.h5")
    code, _, err = run("merge", tmp_path / "auto.h5", tmp_path / "out.h5", "-o",
                       tmp_path / "all.h5", "--prefix")
    assert code == 1
    assert "depth: found the default, asked for 12" in err
    assert before.recipe_id != read_features(tmp_path / "auto.h5").recipe_id
