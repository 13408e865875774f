"""Bins of an IFCB go the whole way, and what is wrong with them is told."""

import json

import h5py
import numpy as np
import pytest

from plankton_features import fit_head, make_folds, read_features, save_head
from tests.forging.bins import NEW, new_bin, old_bin, shots

OTHER, OLD = "D20220520T000000_IFCB134", "IFCB1_2008_010_120000"


@pytest.fixture
def bins(tmp_path):
    root = tmp_path / "data"
    new_bin(shots(6, 1), gpsLatitude=57.5, gpsLongitude=-11.25).write(root / "2022" / "D20220519")
    spoilt = new_bin(shots(5, 2), OTHER)
    spoilt.roi = spoilt.roi[:-1]
    spoilt.write(root / "2022" / "D20220520")
    old_bin(shots(3, 3), OLD).write(root / "2008" / "IFCB1_2008_010")
    return root


def test_the_whole_way(bins, tmp_path, extract, run):
    code, out, err = extract(bins, tmp_path / "out.h5")
    assert (code, err) == (0, "")
    told = "IFCB: 3 bins, 14 images, "
    assert told in out
    marked = f"{OTHER}: 1 picture beyond the end of the .roi file, or over others"
    assert f"1 bin marked: {marked}" in out
    assert "14 found = 13 written + 0 duplicates + 1 failed" in out
    file = read_features(tmp_path / "out.h5")
    assert file.units == {
        "volume_analysed": "mL", "run_time": "s", "look_time": "s", "roi_x": "px", "roi_y": "px",
        "pixel_size": "µm", "latitude": "degrees", "longitude": "degrees", "temperature": "°C",
        "humidity": "%"}
    table = file.columns("path", "group", *file.extra_columns).set_index("path")
    row = table.loc[f"{NEW}_00002"]
    shot = shots(6, 1)[1]
    assert row.dropna().to_dict() == {
        "group": NEW, "bin": NEW, "datetime": "2022-05-19T12:45:33Z", "instrument": "IFCB134",
        "sample_type": "Normal", "volume_analysed": pytest.approx(1180 * 0.25 / 60),
        "run_time": 1200.0, "look_time": 1180.0, "latitude": 57.5, "longitude": -11.25,
        "bin_checks": "passed", "trigger": 2, "roi_x": shot.x, "roi_y": shot.y,
        "pixel_size": 1 / 3.4}
    assert table.loc[f"{OLD}_00001", "temperature"] == 11.48
    assert table.loc[f"{OTHER}_00001", "bin_checks"].startswith("truncated: 1 picture beyond")
    assert file.failures["path"].tolist() == [f"{OTHER}_00005"]
    assert f"{OTHER}, target 5: the .roi file has" in file.failures["reason"][0]

    _, out, err = run("info", tmp_path / "out.h5")
    assert not err
    assert f"{OTHER}: truncated: 1 picture" in " ".join(out.split())
    _, out, _ = run("info", tmp_path / "out.h5", "--json")
    assert list(json.loads(out)["marked_bins"]) == [OTHER]
    assert "is complete: nothing to do" in extract(bins, tmp_path / "out.h5")[1]
    code, out, _ = run("verify", tmp_path / "out.h5", bins)
    assert code == 0
    assert "13 files compared: 0 missing, 0 changed" in out


def test_bins_that_fail_a_check_can_be_left_out(bins, tmp_path, extract):
    code, out, _ = extract(bins, tmp_path / "out.h5", "--skip-bad-bins", "--pixel-size", "0.5")
    assert code == 0
    assert "IFCB: 3 bins, 9 images, " in out
    assert "1 bin left out: " in out
    file = read_features(tmp_path / "out.h5")
    assert set(file.columns("group")["group"]) == {NEW, OLD}
    assert set(file.columns("pixel_size")["pixel_size"]) == {0.5}
    for wrong in ("0", "-1", "nan", "inf"):
        code, _, err = extract(bins, tmp_path / "no.h5", "--pixel-size", wrong)
        assert code == 1
        assert "pixel-size: expected the width of a pixel in µm, a positive number" in err


def test_a_dry_run_says_what_was_found(bins, run):
    code, out, _ = run("extract", bins, "--dry-run", "--backbone", "pixels", "--canvas", "32")
    assert code == 0
    assert "IFCB: 3 bins, 14 images, " in out


def test_names_in_a_header_are_shown_harmlessly(tmp_path, extract, run):
    new_bin(shots(4), sampleType="Beads \x1b[31m[bold]red" + "x" * 9999).write(tmp_path / "data")
    code, out, _ = extract(tmp_path / "data", tmp_path / "out.h5")
    assert code == 0
    assert "a run of beads" in out
    assert "\x1b[31m" not in out + run("info", tmp_path / "out.h5")[1]
    text = read_features(tmp_path / "out.h5").columns("sample_type")["sample_type"][0]
    assert text.startswith("Beads ?[31m[bold]red")
    assert len(text) == 200


def test_other_bins_under_the_same_names_are_noticed(bins, tmp_path, extract):
    extract(bins, tmp_path / "out.h5")
    before = read_features(tmp_path / "out.h5").X
    other = new_bin(shots(6, 1), gpsLatitude=57.5, gpsLongitude=-11.25)
    other.roi = bytes(255 - np.frombuffer(other.roi, np.uint8))
    other.write(bins / "2022" / "D20220519")
    code, _, err = extract(bins, tmp_path / "out.h5")
    assert code == 1
    assert "was made from other pictures of the same names" in err
    np.testing.assert_array_equal(read_features(tmp_path / "out.h5").X, before)


def test_class_scores_of_bins_are_those_of_the_head(bins, tmp_path, extract, run):
    extract(bins, tmp_path / "out.h5")
    file = read_features(tmp_path / "out.h5")
    labels = np.array(["ciliate", "détritus"])[np.arange(len(file)) % 2]
    head = fit_head(file, labels, make_folds(labels, n_folds=3)).head
    save_head(head, tmp_path / "out.head")
    code, out, err = run("classify", tmp_path / "out.head", bins, "-o", tmp_path / "p.csv",
                         "--features", tmp_path / "out.h5", "--to", "ifcb", tmp_path / "scores")
    assert (code, err) == (0, "")
    assert "class scores of 3 bins in " in out
    expected = dict(zip(file.images["path"], head.predict_proba(file.X), strict=True))
    seen = 0
    for name, n in ((NEW, 6), (OTHER, 4), (OLD, 3)):
        with h5py.File(tmp_path / "scores" / f"{name}_class.h5") as scores:
            assert len(scores["roi_numbers"]) == n
            assert scores["class_labels"].asstr()[:].tolist() == ["ciliate", "detritus"]
            assert scores["metadata"].attrs["model_id"] == head.head_id
            for number, row in zip(scores["roi_numbers"], scores["output_scores"], strict=True):
                np.testing.assert_allclose(row, expected[f"{name}_{number:05}"], rtol=1e-6)
                seen += 1
    assert seen == len(file)


def test_class_scores_are_of_bins_only(vignettes, tmp_path, extract, run):
    extract(vignettes, tmp_path / "out.h5")
    file = read_features(tmp_path / "out.h5")
    save_head(fit_head(file, file.y, make_folds(file.y, n_folds=3)).head, tmp_path / "out.head")
    code, _, err = run("classify", tmp_path / "out.head", tmp_path / "out.h5", "-o",
                       tmp_path / "p.csv", "--to", "ifcb", tmp_path / "scores")
    assert code == 1
    assert "is no picture of an IFCB's bin" in err
    assert not (tmp_path / "scores").exists()
