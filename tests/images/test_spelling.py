"""Names in two normal forms of Unicode."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from plankton_features.errors import ImageFailure
from plankton_features.images import Catalog, build_catalog, read_bytes
from plankton_features.images.spelling import as_on_disk

FORMS = ("NFC", "NFD")
NAME = "Crustacé/Ångström é.png"


def spelled(form: str, text: str = NAME) -> str:
    return unicodedata.normalize(form, text)


def put(root: Path, path: str, content: bytes = b"pixels") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


@pytest.fixture(autouse=True)
def keeps_both_forms(tmp_path: Path) -> None:
    """Some disks take both forms for one name; there is nothing to match there."""
    put(tmp_path, spelled("NFC", "probe é"))
    if (tmp_path / spelled("NFD", "probe é")).exists():
        pytest.skip("this disk knows one form only")


@pytest.mark.parametrize("disk", FORMS)
@pytest.mark.parametrize("table", FORMS)
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("backslashes", [False, True])
def test_a_table_finds_files_in_either_form(tmp_path: Path, disk: str, table: str, absolute: bool,
                                            backslashes: bool) -> None:
    put(tmp_path, spelled(disk))
    path = spelled(table)
    written = path.replace("/", "\\") if backslashes else path
    if absolute:
        written = f"{tmp_path}/{written}"
    (tmp_path / "t.csv").write_text(f"path\n{written}\n", encoding="utf-8")
    catalog = build_catalog(tmp_path / "t.csv")
    assert catalog.path[0].endswith(path)  # as the table has it, so that results join with it
    assert catalog.size.tolist() == [6]
    assert read_bytes(catalog.file(0)) == b"pixels"
    before = catalog.stamp()
    os.utime(tmp_path / spelled(disk), ns=(0, 0))
    assert catalog.stamp() != before


def test_forms_may_differ_from_folder_to_folder(tmp_path: Path) -> None:
    path = f"{spelled('NFD', 'é')}/{spelled('NFC', 'à')}/{spelled('NFD', 'ç')}.png"
    put(tmp_path, path)
    for form in FORMS:
        assert read_bytes(f"{tmp_path}/{spelled(form, path)}") == b"pixels"
        assert as_on_disk(f"{tmp_path}/{spelled(form, path)}") == f"{tmp_path}/{path}"


def test_relative_names_and_the_source_itself(tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, spelled("NFD"))
    monkeypatch.chdir(tmp_path)
    assert build_catalog(spelled("NFC", "Crustacé")).path == [spelled("NFD", "Ångström é.png")]
    assert read_bytes(spelled("NFC")) == b"pixels"
    assert read_bytes(Catalog.from_paths([spelled("NFC")]).file(0)) == b"pixels"


def test_the_form_that_is_asked_for_comes_first(tmp_path: Path) -> None:
    for form in FORMS:
        put(tmp_path, spelled(form), form.encode())
    for form in FORMS:
        assert read_bytes(str(tmp_path / spelled(form))) == form.encode()


def test_of_two_others_none_is_taken(tmp_path: Path) -> None:
    first, second = "e\u0301\u00e9.png", "\u00e9e\u0301.png"
    put(tmp_path, first)
    assert read_bytes(str(tmp_path / "\u00e9\u00e9.png")) == b"pixels"
    put(tmp_path, second)
    with pytest.raises(ImageFailure, match="no such file"):
        read_bytes(str(tmp_path / "\u00e9\u00e9.png"))


def test_a_file_that_comes_later_is_found(tmp_path: Path) -> None:
    name = spelled("NFC", "é.png")
    with pytest.raises(ImageFailure, match="no such file"):
        read_bytes(str(tmp_path / name))
    os.utime(tmp_path, ns=(0, 0))
    put(tmp_path, spelled("NFD", name))
    assert read_bytes(str(tmp_path / name)) == b"pixels"


@pytest.mark.parametrize("name", ["é\0.png", "é" * 300, "nowhere/é.png", "é/../é.png", "é.png/"])
def test_names_that_no_file_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageFailure):
        read_bytes(f"{tmp_path}/{name}")
