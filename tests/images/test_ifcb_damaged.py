"""Bins that are damaged or hostile: what is affected fails with a reason, the rest is read."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plankton_features.errors import ImageFailure
from plankton_features.images import build_catalog
from plankton_features.images.ifcb import read_bin
from plankton_features.images.ifcb.adc import NEW as NEW_LAYOUT
from plankton_features.images.ifcb.adc import OLD as OLD_LAYOUT
from plankton_features.images.ifcb.adc import parse_adc
from plankton_features.images.ifcb.header import parse_header
from plankton_features.images.ifcb.names import BinName
from plankton_features.images.ifcb.volume import run_of
from tests.forging.bins import NEW, Forged, Shot, drawn, new_bin, old_bin, shots


def outcome(stem: Path) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Pictures and reasons of failures, by target."""
    one, read, failed = read_bin(stem), {}, {}
    for target in one.parts:
        try:
            read[target] = one.read(target)
        except ImageFailure as failure:
            failed[target] = failure.reason if failure.stage == "read" else failure.stage
    return read, failed


@contextmanager
def at_most(mebibytes: int) -> Iterator[None]:
    """Refuse more memory than so much, at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * 2**20
    finally:
        tracemalloc.stop()


def spoilt(forged: Forged, line: int, **fields: object) -> Forged:
    """Put other values into a line, from 1, of a new bin."""
    places = {"trigger": 0, "x": 13, "y": 14, "width": 15, "height": 16, "start": 17}
    lines = forged.adc.splitlines()
    values = lines[line - 1].split(b",")
    for name, value in fields.items():
        values[places[name]] = str(value).encode()
    lines[line - 1] = b",".join(values)
    forged.adc = b"\r\n".join(lines) + b"\r\n"
    return forged


@pytest.mark.parametrize("cut", [1, 500, 3000])
def test_a_roi_file_that_was_cut_off(tmp_path: Path, cut: int) -> None:
    taken = shots(20)
    forged = new_bin(taken)
    forged.roi = forged.roi[:-cut]
    ends = np.cumsum([shot.pixels.size for shot in taken])
    whole = {i + 1 for i in range(20) if ends[i] <= len(forged.roi)}
    stem = forged.write(tmp_path)
    read, failed = outcome(stem)
    assert set(read) == whole
    assert set(failed) == set(range(1, 21)) - whole
    for target, pixels in read.items():
        np.testing.assert_array_equal(pixels, taken[target - 1].pixels)
    assert failed[20] == (f"{NEW}, target 20: the .roi file has {len(forged.roi)} bytes, its "
                          f"pixels are said to end at {ends[-1]}. Copy the bin's files again from "
                          "the instrument or the archive")
    n = len(failed)
    assert read_bin(stem).checks.truncated == (f"{n} picture{'s' * (n > 1)} beyond the end of the "
                                               ".roi file, or over others")
    catalog = build_catalog(tmp_path)
    assert [size < 0 for size in catalog.size] == [i + 1 not in whole for i in range(20)]


@pytest.mark.parametrize(("fields", "told"), [
    ({"width": "abc"}, "its line has 'abc' where a whole number should be"),
    ({"width": "\x1b[31m7"}, r"its line has '\?\[31m7' where a whole number should be"),
    ({"height": "1.5"}, "'1.5' where a whole"),
    ({"start": ""}, "'' where a whole"),
    ({"x": "nan"}, "'nan' where a whole"),
    ({"y": "1e400"}, "'1e400' where a whole"),
    ({"trigger": "9" * 5000}, "'9999"),
    ({"x": "-3"}, "-3"),
    ({"width": "-8"}, "-8 x"),
    ({"start": "-1"}, "from byte -1"),
    ({"width": 10**9, "height": 10**9}, "1000000000 x 1000000000 pixels, limit 64000000"),
    ({"width": 10**9, "height": 1}, "1000000000 x 1 pixels, limit"),
    ({"start": 10**15}, "its pixels are said to end at 10000000000"),
    ({"width": 2**62, "height": 2**62}, "where a whole number should be"),
])
def test_a_line_that_cannot_be(tmp_path: Path, fields: dict[str, object], told: str) -> None:
    taken = shots(9)
    stem = spoilt(new_bin(taken), 5, **fields).write(tmp_path)
    with at_most(8):
        read, failed = outcome(stem)
    assert list(failed) == [5]
    with pytest.raises(ImageFailure, match=f"{NEW}, target 5: .*{told}"):
        read_bin(stem).read(5)
    for target, pixels in read.items():
        np.testing.assert_array_equal(pixels, taken[target - 1].pixels)
    assert set(read_bin(stem).checks.failed) <= {"lines", "roi_count", "truncated"}
    assert read_bin(stem).checks.failed


def test_lines_that_end_too_early(tmp_path: Path) -> None:
    forged = new_bin(shots(5))
    lines = forged.adc.splitlines()
    lines[4] = b",".join(lines[4].split(b",")[:16])
    lines[2:2] = [b"", b"   "]  # numbers go on through blank lines
    forged.adc = b"\n".join(lines)
    read, failed = outcome(forged.write(tmp_path))
    assert list(read) == [1, 2, 5, 6]
    assert list(failed) == [7]
    assert "its line has 16 columns, expected 18 or more" in failed[7]
    np.testing.assert_array_equal(read[5], forged.shots[2].pixels)


def test_files_of_new_bins_named_as_of_an_old_one(tmp_path: Path) -> None:
    forged = new_bin(shots(3))
    forged.name = "IFCB1_2008_010_120000"
    read, failed = outcome(forged.write(tmp_path))
    assert not read
    assert "its line has 24 columns, expected 16 at most" in failed[1]


@pytest.mark.parametrize(("line", "fields", "wrong"), [
    (4, {"width": 100, "height": 100}, {4, 5}),   # reaches over those that follow
    (4, {"start": 10}, {4}),                      # over the first two, which are sure
    (9, {"start": 0}, {9}),
    (200, {"start": 110 * 12}, {200}),
])
def test_pictures_over_each_other(tmp_path: Path, line: int, fields: dict[str, object],
                                  wrong: set[int]) -> None:
    """Those that join to both neighbours are sure; which of the others is wrong nobody knows."""
    taken = [Shot(drawn(10, 12, i)) for i in range(200)]
    read, failed = outcome(spoilt(new_bin(taken), line, **fields).write(tmp_path))
    assert set(failed) == wrong
    assert "its pixels are said to lie over those of target" in failed[line]
    for target, pixels in read.items():
        np.testing.assert_array_equal(pixels, taken[target - 1].pixels)


def test_parts_that_would_need_much_memory_together(tmp_path: Path) -> None:
    parts = [Shot(np.zeros((3, 30_000), np.uint8), 0, 0, 1),
             Shot(np.zeros((30_000, 3), np.uint8), 0, 0, 1)]
    stem = old_bin(parts).write(tmp_path)
    with at_most(8):
        read, failed = outcome(stem)
    assert not read
    assert "put together it would have 30000 x 30000 pixels, limit 64000000" in failed[1]


def test_a_part_that_cannot_be_read(tmp_path: Path) -> None:
    forged = old_bin([Shot(drawn(9, 9), 0, 0, 1), Shot(drawn(9, 9, 1), 4, 0, 1)])
    forged.roi = forged.roi[:-1]
    read, failed = outcome(forged.write(tmp_path))
    assert (list(read), list(failed)) == ([], [1])


def test_a_roi_file_that_becomes_shorter(tmp_path: Path) -> None:
    stem = new_bin(shots(5)).write(tmp_path)
    one = read_bin(stem)
    Path(f"{stem}.roi").write_bytes(b"x")
    with pytest.raises(ImageFailure, match=r"target 5: .*it has become shorter"):
        one.read(5)
    Path(f"{stem}.roi").unlink()
    with pytest.raises(ImageFailure, match=r"target 5: the .roi file cannot be read"):
        one.read(5)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    for ending in ("hdr", "adc", "roi"):
        os.mkfifo(tmp_path / f"{NEW}.{ending}")
    assert read_bin(tmp_path / NEW).checks.files == "no .hdr file, no .adc file, no .roi file"


def test_a_huge_adc_file_is_not_read(tmp_path: Path) -> None:
    stem = new_bin(shots(2)).write(tmp_path)
    with Path(f"{stem}.adc").open("r+b") as file:
        file.truncate(2**40)
    with at_most(8):
        assert read_bin(stem).checks.files == "the .adc file is too large"


values = st.one_of(st.integers(-5, 10**10), st.floats(), st.sampled_from(
    ["", " ", "1e9", "0x1", "nan", "inf", "7.0", "٣", "a", "\x00", "1" * 400, '"', "-0"]))


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_of_lines_spoils_only_these(tmp_path: Path, data: st.DataObject) -> None:
    """A line without damage, none of whose neighbours lies over it, gives its own pixels."""
    taken = [Shot(drawn(5 + i % 3, 7, i)) for i in range(8)]
    forged = new_bin(taken)
    touched = data.draw(st.sets(st.integers(1, 8), max_size=3))
    for line in touched:
        names = data.draw(st.sets(st.sampled_from(
            ["trigger", "x", "y", "width", "height", "start"]), min_size=1))
        spoilt(forged, line, **{name: str(data.draw(values)).replace("\n", "")
                                for name in sorted(names)})
    cut = data.draw(st.integers(0, 80))
    forged.roi = forged.roi[:len(forged.roi) - cut]
    stem = forged.write(tmp_path)
    read, failed = outcome(stem)
    assert not read.keys() & failed.keys()
    ends = np.cumsum([shot.pixels.size for shot in taken])
    for i, shot in enumerate(taken, start=1):
        if i in touched:
            continue
        assert i in read or i in failed
        if i in read:
            np.testing.assert_array_equal(read[i], shot.pixels)
        else:
            assert ends[i - 1] > len(forged.roi) or touched, "a sound picture failed"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_without_a_crash(data: bytes, old: bool) -> None:
    layout, name = (OLD_LAYOUT, "IFCB1_2008_010_120000") if old else (NEW_LAYOUT, NEW)
    adc = parse_adc(data, layout)
    assert len(adc.rows) == sum(bool(line.strip(b" \t\r\x0b\x0c\x1c\x1d\x1e\x1f"))
                                for line in data.split(b"\n"))
    assert len(adc.targets) + len(adc.damaged) <= len(adc.rows)
    run = run_of(BinName.parse(name), parse_header(data), adc)
    assert run.volume > 0 or np.isnan(run.volume)


def test_bins_are_listed_without_opening_a_picture(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is that of reading small files: no ``.roi`` file is opened."""
    given_shots = shots(50)
    for i in range(40):
        new_bin(given_shots, f"D20220519T12{i:02d}33_IFCB134").write(tmp_path / str(i % 3))
    real, opened = open, []

    def noted(file, *args, **kwargs):
        opened.append(str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", noted)
    assert len(build_catalog(tmp_path)) == 2000
    assert len(opened) == 80
    assert not [path for path in opened if path.endswith(".roi")]
