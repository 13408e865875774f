"""``plankton-features check-ecotaxa``: what it prints, and its exit codes."""

import pytest
from forging.ecotaxa import importable, plain_table, put

from plankton_features.cli.main import main


def project(root, **cells):
    lines, pictures = importable()
    for name, cell in cells.items():
        lines[3][lines[0].index(name)] = cell
    return put({"ecotaxa_a.tsv": plain_table(lines), **pictures}, root)


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_good_one(tmp_path, capsys, suffix):
    assert main(["check-ecotaxa", str(project(tmp_path / f"a{suffix}"))]) == 0
    assert capsys.readouterr().out.startswith("no problem found; ")


def test_problems_are_told_with_their_places(tmp_path, capsys):
    root = project(tmp_path, object_lat="100", img_file_name="no\x1b[2Jne.png")
    assert main(["check-ecotaxa", str(root), "--quiet"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("ecotaxa_a.tsv, line 4, object_lat: Expected")
    assert told[1].startswith("ecotaxa_a.tsv, line 4, img_file_name: There is no file 'no\\x1b[2J")
    assert told[2].startswith("2 problems in 1 table: ")


def test_an_update(tmp_path):
    root = project(tmp_path)
    for picture in root.glob("*.png"):
        picture.unlink()
    assert main(["check-ecotaxa", str(root)]) == 1
    assert main(["check-ecotaxa", str(root), "--update-ecotaxa"]) == 0


def test_nothing_there(tmp_path, capsys):
    assert main(["check-ecotaxa", str(tmp_path / "none")]) == 1
    assert "nothing there" in capsys.readouterr().err
