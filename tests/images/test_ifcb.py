"""Bins of the IFCB, written by the tests: pictures, volumes, checks, and trees of them."""

from __future__ import annotations

import importlib.util
import math
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images import Catalog, build_catalog, open_source
from plankton_features.images.ifcb import BinName, picture_id, read_bin, split_picture_id
from tests.forging.bins import NEW, OLD, Shot, drawn, new_bin, old_bin, shots

HAS_LIBIFCB = importlib.util.find_spec("libifcb") is not None


@pytest.mark.parametrize("columns", [18, 24, 26])
@pytest.mark.parametrize("number", [str, lambda value: f"{value}.0"], ids=["whole", "floating"])
def test_pictures_of_a_new_bin(tmp_path: Path, columns: int, number: object) -> None:
    given = shots(18, without=(14,))
    new_bin(given, columns=columns, number=number).write(tmp_path)
    catalog = build_catalog(tmp_path)
    assert len(catalog) == 17
    assert catalog.path == catalog.id == [f"{NEW}_{i + 1:05d}" for i in range(18) if i != 14]
    assert set(catalog.group) == {NEW}
    assert set(catalog.label) == {""}
    for position, shot in enumerate(s for s in given if s.pixels is not None):
        np.testing.assert_array_equal(catalog.read(position), shot.pixels)
        assert catalog.size[position] == shot.pixels.size
    assert catalog.where(14) == f"{NEW}, target 16"


@pytest.mark.skipif(not HAS_LIBIFCB, reason="libifcb, another reader (LGPL), is not installed")
def test_pixels_are_those_of_another_reader(tmp_path: Path) -> None:
    from libifcb import ROIReader

    names = ("trigger#, ADCtime, PMTA, PMTB, PMTC, PMTD, PeakA, PeakB, PeakC, PeakD, TimeOfFlight, "
             "GrabTimeStart, GrabTimeEnd, RoiX, RoiY, RoiWidth, RoiHeight, StartByte, "
             "ComparatorOut, StartPoint, SignalLength, Status, RunTime, InhibitTime")
    stem = new_bin(shots(30, 3, without=(2, 9)), ADCFileFormat=names).write(tmp_path)
    mine = read_bin(stem)
    with Path(f"{stem}.roi").open("rb") as file:
        other = ROIReader(f"{stem}.hdr", f"{stem}.adc", file)
        assert [roi.index for roi in other.rois] == list(mine.parts)
        for roi in other.rois:
            np.testing.assert_array_equal(roi.array, mine.read(roi.index))


def test_an_old_bin_is_put_together(tmp_path: Path) -> None:
    """Seven lines, six pictures, five objects, as of the public tools' own example."""
    whole = drawn(60, 120, 9)
    a, b = whole[:40, :80], whole[20:, 50:]
    given = [*shots(2, 1), Shot(a, 100, 200, 3), Shot(b, 150, 220, 3), *shots(2, 2), Shot(None)]
    given[4].trigger, given[5].trigger, given[6].trigger = 4, 5, 6
    old_bin(given).write(tmp_path)
    catalog = build_catalog(tmp_path)
    assert [split_picture_id(path) for path in catalog.path] == [
        (OLD, target) for target in (1, 2, 3, 5, 6)]
    covered = np.zeros((60, 120), bool)
    covered[:40, :80] = covered[20:, 50:] = True
    expected = np.where(covered, whole, 0)
    touching = [whole[i, j] for i in range(60) for j in range(120) if covered[i, j] and any(
        0 <= i + k < 60 and 0 <= j + m < 120 and not covered[i + k, j + m]
        for k, m in ((1, 0), (-1, 0), (0, 1), (0, -1)))]
    expected[~covered] = round(float(np.mean(touching)))
    np.testing.assert_array_equal(catalog.read(2), expected)
    assert catalog.size[2] == 60 * 120
    for position, shot in ((0, given[0]), (1, given[1]), (3, given[4]), (4, given[5])):
        np.testing.assert_array_equal(catalog.read(position), shot.pixels)


@pytest.mark.parametrize(("second", "objects"), [
    (Shot(drawn(20, 20, 2), 117, 100, 1), 1),      # 3 pixels shared
    (Shot(drawn(20, 20, 2), 118, 100, 1), 2),      # 2
    (Shot(drawn(20, 20, 2), 110, 118, 1), 2),
    (Shot(drawn(20, 20, 2), 83, 117, 1), 1),
    (Shot(drawn(20, 20, 2), 110, 110, 2), 2),      # of another trigger
])
def test_what_is_put_together(tmp_path: Path, second: Shot, objects: int) -> None:
    first = Shot(drawn(20, 20, 1), 100, 100, 1)
    assert len(read_bin(old_bin([first, second]).write(tmp_path)).parts) == objects
    assert len(read_bin(new_bin([first, second]).write(tmp_path)).parts) == 2


def test_the_later_part_is_seen_and_three_are_one(tmp_path: Path) -> None:
    parts = [Shot(np.full((10, 10), value, np.uint8), 5 * i, 0, 1)
             for i, value in enumerate((10, 20, 30))]
    one = read_bin(old_bin(parts).write(tmp_path))
    assert list(one.parts) == [1]
    np.testing.assert_array_equal(one.read(1)[0], [10] * 5 + [20] * 5 + [30] * 10)


def test_volumes_of_public_examples(tmp_path: Path) -> None:
    """Figures that pyifcb's own tests hold for its two examples."""
    one = read_bin(new_bin(shots(5), run_time=1231.024861, inhibit_time=11.62298).write(tmp_path))
    assert one.run.volume == pytest.approx(5.080841170833334, rel=1e-12)
    assert one.checks.failed == {}
    given = shots(7)
    for shot, trigger, i in zip(given, (1, 2, 3, 3, 4, 5, 6), range(7), strict=True):
        shot.trigger, shot.time = trigger, 1.251953 - (6 - i) * 0.02
    one = read_bin(old_bin(given).write(tmp_path))
    assert (one.run.run_time, one.run.look_time) == pytest.approx((1.251953, 0.813953))
    assert one.run.volume == pytest.approx(0.003391470833333334)


def test_volume_of_an_old_bin_in_closed_form(tmp_path: Path) -> None:
    """One trigger a second, open 10 ms before its frame: blind 0.99 s after each but the last."""
    given = [Shot(drawn(5, 5, i), trigger=i + 1, time=-86_400.0 + 3 * i + 1 if i > 4 else 3 * i + 1)
             for i in range(9)]
    one = read_bin(old_bin(given).write(tmp_path))
    look = 25 - 8 * 2.99 - 0.073
    assert one.run.volume == pytest.approx(look * 0.25 / 60)
    late = read_bin(old_bin(given, "IFCB5_2015_152_000000").write(tmp_path))
    assert late.run.volume == pytest.approx((look + 0.023) * 0.25 / 60)
    other = read_bin(old_bin(given, "IFCB1_2015_152_000000").write(tmp_path))
    assert other.run.volume == one.run.volume


@pytest.mark.parametrize(("header", "used", "doubt"), [
    ({}, 1180, False),
    ({"runTime": None, "inhibitTime": None}, 1180, False),
    ({"runTime": 0, "inhibitTime": 0}, 1180, False),
    ({"runTime": "NaN"}, 1180, False),
    ({"runTime": "inf"}, 1180, False),
    ({"runTime": 1222}, 1202, False),
    ({"runTime": 1300}, 1180, True),
    ({"runTime": 600}, 1180, True),
])
def test_the_header_is_checked_against_the_last_line(tmp_path: Path, header: dict[str, object],
                                                     used: float, doubt: bool) -> None:
    forged = new_bin(shots(200), **header)
    one = read_bin(forged.write(tmp_path))
    assert one.run.volume == pytest.approx(used * 0.25 / 60)
    assert list(one.checks.failed) == ["run_time"] * doubt


def test_lines_whose_clocks_differ_are_not_the_last(tmp_path: Path) -> None:
    forged = new_bin(shots(100))
    lines = forged.adc.splitlines(keepends=True)
    fields = lines[-1].split(b",")
    fields[22] = b"5000.5"
    forged.adc = b"".join([*lines[:-1], b",".join(fields)])
    forged.hdr = b""
    assert read_bin(forged.write(tmp_path)).run.look_time == pytest.approx(1180 * 0.99)


def test_few_triggers_say_little_of_the_end_of_a_run(tmp_path: Path) -> None:
    given = shots(3)
    for shot, time in zip(given, (100, 300, 700), strict=True):
        shot.time = time
    one = read_bin(new_bin(given, inhibit_time=1.0).write(tmp_path))
    assert one.run.look_time == 1199
    assert not one.checks.failed


@pytest.mark.parametrize(("header", "check", "told"), [
    ({"roiCount": 19}, "roi_count", "the header counts 19 pictures, the .adc file 18"),
    ({"runBeads": True}, "beads", "a run of beads"),
    ({"sampleType": "Beads"}, "beads", "a run of beads"),
    ({"SyringeSampleVolume": 2.5}, "volume", "4.92 mL analysed of a sample of 2.5 mL"),
])
def test_checks_of_headers(tmp_path: Path, header: dict[str, object], check: str,
                           told: str) -> None:
    one = read_bin(new_bin(shots(18), **header).write(tmp_path))
    assert one.checks.failed == {check: told}


@pytest.mark.parametrize("without", ["hdr", "adc", "roi"])
def test_a_file_is_missing(tmp_path: Path, without: str) -> None:
    new_bin(shots(4)).write(tmp_path, without=without)
    one = read_bin(tmp_path / NEW)
    assert one.checks.files == f"no .{without} file"
    assert len(one.parts) == (0 if without == "adc" else 4)
    assert len(one.failures) == (4 if without == "roi" else 0)
    assert math.isnan(one.run.volume) == (without == "never")
    if without == "roi":
        with pytest.raises(ImageFailure, match=f"read: {NEW}, target 2: there is no .roi file. C"):
            one.read(2)


def test_an_empty_bin(tmp_path: Path) -> None:
    for ending in ("hdr", "adc", "roi"):
        (tmp_path / f"{NEW}.{ending}").touch()
    one = read_bin(tmp_path / NEW)
    assert not one.parts
    assert one.checks.failed == {
        "files": "the .hdr file is empty, the .adc file is empty",
        "volume": "volume analysed not known"}
    with pytest.raises(InputError, match=r"no pictures. IFCB: 1 bin, 0 images, 0 mL of 0 bins, 1 "):
        build_catalog(tmp_path)
    new_bin([Shot(None)] * 3).write(tmp_path)
    assert not read_bin(tmp_path / NEW).checks.failed  # without pictures .roi may be empty


def tree(root: Path) -> list[str]:
    names = ["D20220519T124533_IFCB134", "D20220520T000000_IFCB134", "IFCB1_2008_010_120000",
             "D20220521T000000_IFCB010"]
    new_bin(shots(3, 1), names[0]).write(root / "2022" / "D20220519")
    new_bin(shots(4, 2), names[1], roiCount=9).write(root / "D2022" / "D20220520")
    old_bin(shots(2, 3), names[2]).write(root / "2008" / "IFCB1_2008_010")
    new_bin(shots(5, 4), names[3]).write(root)
    new_bin(shots(9, 5), "D20220522T000000_IFCB010").write(root / "Beads" / "x")
    new_bin(shots(9, 6), "D20220523T000000_IFCB010").write(root / ".hidden")
    (root / "2022" / "notes.txt").touch()
    (root / "2022" / "D20229919T124533_IFCB134.roi").touch()  # no such day
    return names


def test_a_tree_of_bins(tmp_path: Path) -> None:
    names = tree(tmp_path)
    catalog = build_catalog(tmp_path)
    assert catalog.group == [name for name, n in zip(sorted(names), (3, 4, 5, 2), strict=True)
                             for _ in range(n)]
    assert catalog.ignored == {".txt": 1, ".roi": 1, "Beads/": 1, ".hidden/": 1}
    assert catalog.recognised.startswith("IFCB: 4 bins, 14 images, 14.")
    assert catalog.recognised.endswith("1 bin marked: D20220520T000000_IFCB134: the header counts "
                                       "9 pictures, the .adc file 4")
    fewer = build_catalog(tmp_path, skip_bad_bins=True)
    assert names[1] not in fewer.group
    assert len(fewer) == 10
    assert "1 bin left out: D20220520T000000_IFCB134" in fewer.recognised
    assert "image" not in build_catalog(tmp_path, source="ifcb").recognised.partition("mL")[2]
    with pytest.raises(InputError, match="expected images"):
        build_catalog(tmp_path, source="folder")


def test_image_files_beside_bins_are_told(tmp_path: Path) -> None:
    new_bin(shots(3)).write(tmp_path / "deep" / "er")
    for i in range(2):
        (tmp_path / f"{i}.png").touch()
    assert build_catalog(tmp_path).recognised.endswith("; 2 images beside them not read")
    assert build_catalog(tmp_path, source="folder").path == ["0.png", "1.png"]


def test_a_folder_with_selections_of_imagej_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "1.png").touch()
    (tmp_path / "0001-0023.roi").touch()
    catalog = build_catalog(tmp_path)
    assert (catalog.path, catalog.ignored) == (["1.png"], {".roi": 1})
    with pytest.raises(InputError, match=r"expected bins of an IFCB .* found none"):
        build_catalog(tmp_path, source="ifcb")
    with pytest.raises(InputError, match=r"skip-bad-bins goes with ifcb; .* is read as folder"):
        build_catalog(tmp_path, skip_bad_bins=True)


def test_copies_of_a_bin(tmp_path: Path) -> None:
    new_bin(shots(3)).write(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    catalog = build_catalog(tmp_path)
    assert len(catalog) == 3
    assert "1 bin there twice" in catalog.recognised
    assert catalog.source.stems[NEW] == str(tmp_path / "a" / NEW)
    (tmp_path / "b" / f"{NEW}.roi").write_bytes(b"x")
    with pytest.raises(InputError, match=f"{NEW} is there twice and differs: a/{NEW} and b/"):
        build_catalog(tmp_path)


def sums(catalog: Catalog) -> list[int]:
    return [int(catalog.read(i).sum()) for i in range(len(catalog))]


def test_threads_and_processes_read_the_same(tmp_path: Path) -> None:
    tree(tmp_path)
    catalog = build_catalog(tmp_path)
    expected = sums(catalog)
    order = np.random.default_rng(0).permutation(np.tile(np.arange(len(catalog)), 50)).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda i: int(catalog.read(i).sum()), order)) == [
            expected[i] for i in order]
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        assert processes.submit(sums, catalog).result() == expected
    assert pickle.loads(pickle.dumps(catalog)).stamp() == catalog.stamp()
    source = open_source(tmp_path)  # as a report does, which knows the folder and the path
    np.testing.assert_array_equal(source.read(catalog.path[3]), catalog.read(3))
    for wrong in ("../x.png", f"{NEW}_1", "D20990519T124533_IFCB134_00001"):
        with pytest.raises(ImageFailure, match="no such bin"):
            source.read(wrong)
    with pytest.raises(ImageFailure, match="has no picture 99"):
        source.read(f"{NEW}_00099")


def test_the_stamp_is_of_each_bin_and_a_changed_bin_is_read_anew(tmp_path: Path) -> None:
    given = shots(3)
    new_bin(given).write(tmp_path)
    catalog = build_catalog(tmp_path)
    before = catalog.stamp()
    np.testing.assert_array_equal(catalog.read(0), given[0].pixels)
    assert catalog.stamp() == build_catalog(tmp_path).stamp() == before
    other = shots(3, 8)
    new_bin(other).write(tmp_path)
    assert catalog.stamp() != before
    np.testing.assert_array_equal(catalog.read(0), other[0].pixels)


@pytest.mark.parametrize("name", [
    "D20220230T124533_IFCB134", "D20220519T250000_IFCB134", "IFCB5_2012_367_081515", "IFCB5",
    "D20220519T124533_IFCB", "d20220519t124533_ifcb134", "D20220519T124533_IFCB134x",
    "D٢٠220519T124533_IFCB134"])
def test_what_is_no_name_of_a_bin(tmp_path: Path, name: str) -> None:
    assert BinName.parse(name) is None
    with pytest.raises(InputError, match="expected the name of a bin"):
        read_bin(tmp_path / name)


@pytest.mark.parametrize("target", [1, 99_999, 100_000, 1_234_567])
@pytest.mark.parametrize("name", [NEW, OLD])
def test_ids_of_pictures(name: str, target: int) -> None:
    assert split_picture_id(picture_id(name, target)) == (name, target)
    assert split_picture_id(f"{name}_0{target:05d}") is None
