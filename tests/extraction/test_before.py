"""What a file holds counts only for pictures whose content is known to be the same."""

import os
import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from plankton_features import build_catalog, extract, read_features
from plankton_features.errors import InputError, MismatchError, OtherPicturesError
from plankton_features.extraction import before, is_finished
from plankton_features.images import Catalog
from plankton_features.store import FeatureStore

N = 20


def write_station(root, seed):
    """BMP files of the same names and sizes, whatever the seed; one copy, one broken."""
    rng = np.random.default_rng(seed)
    root.mkdir(parents=True)
    for i in range(N):
        grey(root / f"{i:02}.bmp", rng.integers(0, 256, (16, 16), np.uint8))
    shutil.copy(root / "00.bmp", root / "copy.bmp")
    (root / "broken.bmp").write_bytes(b"not an image")
    return root


def grey(path, pixels):
    Image.fromarray(np.broadcast_to(np.asarray(pixels, np.uint8), (16, 16)).copy()).save(path)


@pytest.fixture
def station(tmp_path):
    return write_station(tmp_path / "a" / "imgs", 1)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.h5"


@pytest.fixture
def run(output, pixels):
    recipe, engine = pixels(8)
    return lambda root, **how: extract(
        root if isinstance(root, Catalog) else build_catalog(root), recipe, engine,
        how.pop("output", output), **how)


@pytest.fixture
def reads(monkeypatch):
    """Paths whose contents are compared."""
    seen = []
    real = before.find_changes.__globals__["digest_or_none"]
    monkeypatch.setattr("plankton_features.extraction.changes.digest_or_none",
                        lambda catalog, i: seen.append(catalog.path[i]) or real(catalog, i))
    return seen


def without_stamp(path):
    """As the version before wrote it."""
    with h5py.File(path, "r+") as file:
        del file.attrs["catalog_stamp"]


def test_what_nobody_touched_is_known_without_reading(station, output, run, reads):
    run(station)
    assert is_finished(output, build_catalog(station))
    assert reads == []


def test_other_pictures_of_the_same_names_and_sizes(station, output, run, tmp_path):
    run(station)
    other = write_station(tmp_path / "b" / "imgs", 2)
    catalog = build_catalog(other)
    assert catalog.fingerprint() == build_catalog(station).fingerprint()
    with pytest.raises(OtherPicturesError, match=(
            r"out.h5: was made from other pictures of the same names(.|\n)*"
            r"changed: 21 of 22 files, such as 00.bmp, 01.bmp, 02.bmp\nUse --update")) as error:
        is_finished(output, catalog)
    assert error.value.fields == {"changed": (0, 21)}


def test_other_names_are_counted_and_named(station, output, run):
    run(station)
    for i in range(4):
        (station / f"{i:02}.bmp").unlink()
    grey(station / "new.bmp", 5)
    with pytest.raises(MismatchError, match=(
            r"images: found 22, asked for 19\n  gone: 4 files, such as 00.bmp, 01.bmp, 02.bmp\n"
            r"  new: 1 files, such as new.bmp\nUse --update")) as error:
        is_finished(output, build_catalog(station))
    assert list(error.value.fields) == ["images"]


def test_other_labels_are_counted_and_named(station, output, run):
    run(station)
    found = build_catalog(station)
    labels = ["x" if path in ("03.bmp", "copy.bmp", "broken.bmp") else "" for path in found.path]
    with pytest.raises(MismatchError, match=r"relabelled: 3 files, such as 03.bmp, broken.bmp, c"):
        is_finished(output, Catalog.from_paths(found.path, root=station, labels=labels))


def test_a_moved_folder_is_the_same_after_a_comparison(station, output, run, reads, tmp_path):
    run(station)
    moved = station.rename(tmp_path / "moved")
    assert is_finished(output, build_catalog(moved))
    assert len(reads) == N + 1
    shutil.copytree(moved, tmp_path / "copied")
    assert is_finished(output, build_catalog(tmp_path / "copied"))


def test_a_link_that_leads_elsewhere_by_now(station, output, run, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(station)
    run(link)
    assert is_finished(output, build_catalog(link))
    link.unlink()
    link.symlink_to(write_station(tmp_path / "b", 2))
    with pytest.raises(OtherPicturesError):
        is_finished(output, build_catalog(link))


@pytest.mark.parametrize("restored", [True, False])
def test_a_picture_replaced_in_its_place(station, output, run, restored):
    run(station)
    path = station / "07.bmp"
    times = path.stat()
    grey(path, 3)
    if restored:  # but for the time of the change itself, which nobody can set
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(OtherPicturesError, match=r"changed: 1 of 22 files, such as 07\.bmp"):
        is_finished(output, build_catalog(station))


def test_files_of_the_version_before_are_compared(station, output, run, reads):
    run(station)
    without_stamp(output)
    assert is_finished(output, build_catalog(station))
    assert len(reads) == N + 1
    grey(station / "07.bmp", 3)
    with pytest.raises(OtherPicturesError):
        is_finished(output, build_catalog(station))


@pytest.mark.parametrize(("name", "kind"), [("00.bmp", "changed"), ("copy.bmp", "changed"),
                                            ("broken.bmp", "usable now")])
def test_copies_and_failures_count_too(station, output, run, name, kind):
    run(station)
    grey(station / name, 3)
    with pytest.raises(OtherPicturesError, match=f"{kind}: 1 of 22 files, such as {name}"):
        is_finished(output, build_catalog(station))


def test_a_failure_that_still_fails_is_no_change(station, output, run):
    run(station)
    (station / "broken.bmp").write_bytes(b"not an image either, and longer")
    assert is_finished(output, build_catalog(station))


def test_what_cannot_be_read_cannot_be_known(station, output, run):
    table = station.parent / "table.csv"
    table.write_text("path\n" + "".join(f"imgs/{p.name}\n" for p in sorted(station.iterdir())))
    run(table)
    station.rename(station.parent / "gone")
    with pytest.raises(OtherPicturesError, match=(
            r"unreadable: 21 of 22 files(.|\n)*Is a drive or a folder missing\?")):
        is_finished(output, build_catalog(table))


# An unfinished file.


@pytest.fixture
def begin(run, monkeypatch):
    """Extract and fail in the second block, of 8 rows."""
    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 8 * 64 * 4)
    real = FeatureStore.append

    def append(store, block):
        if store.n_valid:
            raise OSError("stop")
        real(store, block)

    def call(root, **how):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FeatureStore, "append", append)
            with pytest.raises(OSError, match="stop"):
                run(root, **how)

    return call


def test_a_begun_file_goes_on_with_its_own_pictures_only(station, output, run, begin, tmp_path):
    begin(station)
    other = write_station(tmp_path / "b", 2)
    with pytest.raises(OtherPicturesError, match=r"out.h5.partial: .*(.|\n)*changed: 8 of 8 files"):
        run(other)
    assert run(station).resumed == 8


@pytest.mark.parametrize("old", [True, False])
def test_pictures_that_were_not_read_yet_may_change(station, output, run, begin, dump, old):
    begin(station)
    if old:
        without_stamp(output.with_name("out.h5.partial"))
    grey(station / "15.bmp", 3)
    Image.new("L", (9, 9), 4).save(station / "16.bmp")  # of another size
    assert run(station).resumed == 8
    run(station, output=output.with_name("good.h5"))
    assert dump(output) == dump(output.with_name("good.h5"))
    assert is_finished(output, build_catalog(station))


def test_an_update_takes_over_what_was_begun_with_others(station, output, run, begin, dump):
    begin(station)
    grey(station / "03.bmp", 3)
    (station / "19.bmp").unlink()
    with pytest.raises(MismatchError, match=r"images: found 22, asked for 21(.|\n)*--update"):
        run(station)
    begin(station, update=True)  # stopped again
    grey(station / "04.bmp", 4)
    report = run(station, update=True)
    assert report.reused == 7
    run(station, output=output.with_name("good.h5"))
    assert dump(output) == dump(output.with_name("good.h5"))
    assert sorted(p.name for p in output.parent.glob("*.h5*")) == ["good.h5", "out.h5"]


# What an update may drop.


@pytest.fixture
def written(station, output, run):
    run(station)
    return output.read_bytes()


@pytest.mark.parametrize(("gone", "refused"), [(2, False), (3, True)])
def test_an_update_may_drop_a_tenth(station, output, run, written, gone, refused):
    for i in range(1, gone + 1):
        (station / f"{i:02}.bmp").unlink()
    if not refused:
        assert run(station, update=True).dropped == gone
        return
    with pytest.raises(InputError, match=r"3 of its 20 vectors would be dropped.*add --drop"):
        run(station, update=True)
    assert output.read_bytes() == written
    assert not output.with_name("out.h5.partial").exists()
    assert run(station, update=True, drop=True).dropped == gone
    assert len(read_features(output)) == N - gone


@pytest.mark.parametrize("name", ["05.bmp", "copy.bmp"])
def test_an_update_drops_nothing_that_cannot_be_read(station, output, run, written, name):
    names = sorted(p.name for p in station.iterdir())
    catalog = Catalog.from_paths(names, root=station)
    (station / name).unlink()
    with pytest.raises(InputError, match=f"1 image cannot be used that could, such as {name}"):
        run(catalog, update=True)
    assert output.read_bytes() == written
    assert run(catalog, update=True, drop=True).failed == 2


def test_a_moved_picture_whose_old_name_is_listed_is_not_lost(station, run, written):
    (station / "05.bmp").rename(station / "moved.bmp")
    assert run(station, update=True).dropped == 0


def test_what_a_refused_update_computed_is_kept(station, output, run, written, tmp_path):
    other = write_station(tmp_path / "b", 2)
    with pytest.raises(InputError, match=r"20 of its 20.*computed for it is in out.h5.partial"):
        run(other, update=True)
    assert output.read_bytes() == written
    report = run(other, update=True, drop=True)
    assert (report.resumed, report.dropped) == (22, 20)


def test_an_update_that_is_continued_without_its_option(station, output, run, begin, written):
    catalog = Catalog.from_paths(sorted(p.name for p in station.iterdir()), root=station)
    for i in range(10, N):
        (station / f"{i:02}.bmp").unlink()
    begin(catalog, update=True)
    with pytest.raises(InputError, match="10 of its 20 vectors would be dropped"):
        run(catalog)
    assert output.read_bytes() == written


def test_nothing_does_not_overwrite_vectors(station, output, run, written):
    catalog = Catalog.from_paths(["none.bmp"], root=station)
    with pytest.raises(InputError, match="its 20 vectors would be lost"):
        run(catalog, overwrite=True)
    assert output.read_bytes() == written
    assert run(catalog, overwrite=True, drop=True).failed == 1
    assert run(catalog, overwrite=True).failed == 1
