"""EcoTaxa tables: whatever is written comes back, cell by cell, with its line."""

import io
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plankton_features.errors import InputError
from plankton_features.images.ecotaxa.table import MOST_LINE, open_table

BOM = b"\xef\xbb\xbf"
END = st.sampled_from(["\n", "\r\n", "\r"])


def opened(data, name="ecotaxa_a.tsv"):
    return open_table(name, lambda: io.BytesIO(data))


def cells_of(table):
    return [(row.line, row.cells) for row in table.rows()]


def quoted(cell, always):
    """A cell by the rules of CSV: in quotes where it must be, quotes doubled."""
    needs = any(c in cell for c in '\t\r\n"')
    return '"' + cell.replace('"', '""') + '"' if needs or always else cell


def written(rows, end, always=False):
    """Text of rows, and the line at which each begins."""
    text, begins = "", []
    for row in rows:
        begins.append(1 + text.replace("\r\n", "\n").replace("\r", "\n").count("\n"))
        text += "\t".join(quoted(cell, always) for cell in row) + end
    return text, begins


CELL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=9)
#: No tab and line break in one cell, which reads as if a quote were missing.
PLAIN = CELL.filter(lambda cell: not ("\t" in cell and ("\n" in cell or "\r" in cell)))
NAME = st.builds("{}_{}".format, st.sampled_from(["object", "Sample", "ACQ", "process", "img"]),
                 st.text("aBéÅ_%.<", min_size=1, max_size=4))


@st.composite
def tables(draw):
    names = draw(st.lists(NAME, min_size=2, max_size=6))
    types = draw(st.none() | st.lists(st.sampled_from(["[t]", "[f]"]), min_size=len(names),
                                      max_size=len(names)))
    row = st.tuples(*[PLAIN] * len(names)).filter(
        lambda cells: sum(cell.strip().lower() in ("[t]", "[f]") for cell in cells) == 0)
    return names, types, [list(r) for r in draw(st.lists(row, max_size=5))]


@settings(max_examples=200)
@given(tables(), END, st.booleans(), st.sampled_from(["utf-8-sig", "utf-8"]))
@example((["a_a", "a_b"], None, [["x", "\u2028"]]), "\n", False, "utf-8")
def test_what_is_written_comes_back(given_table, end, always, encoding):
    names, types, rows = given_table
    text, begins = written([names, *([types] if types else []), *rows], end, always)
    table = opened(text.encode(encoding))
    assert [column.spelled for column in table.columns] == names
    assert table.has_types == bool(types)
    assert [column.type for column in table.columns] == (types or [""] * len(names))
    assert cells_of(table) == list(zip(begins[-len(rows):] if rows else [], rows, strict=True))
    assert not any(row.wrong for row in table.rows())


@given(st.lists(st.lists(st.text(st.characters(max_codepoint=255, min_codepoint=32), max_size=9),
                         min_size=2, max_size=2), max_size=4))
def test_latin_1(rows):
    rows = [["object_id", "sample_ship"], ["[t]", "[t]"], ["\xe9\xe8\xb0 ", "1"], *rows]
    table = opened(written(rows, "\r\n")[0].encode("latin-1"))
    assert table.encoding == "latin-1"
    assert [cells for _, cells in cells_of(table)] == rows[2:]


def test_a_mark_means_utf_8_and_does_not_lead_the_first_name():
    table = opened(BOM + "object_id\tobject_é\n[t]\t[t]\n1\tDétritus\n".encode())
    assert (table.encoding, [c.name for c in table.columns]) == (
        "utf-8-sig", ["object_id", "object_é"])
    assert cells_of(table) == [(3, ["1", "Détritus"])]


def test_utf_8_without_mark():
    assert cells_of(opened("a_a\tb_b\n1\tDétritus\n".encode())) == [(2, ["1", "Détritus"])]


def test_an_accent_across_blocks(monkeypatch):
    monkeypatch.setattr("plankton_features.images.ecotaxa.table._BLOCK", 5)
    assert opened(("a_a\té" * 7).encode()).encoding == "utf-8"


@pytest.mark.parametrize("data", [
    "a_a\tb_b\n1\t2\n".encode("utf-16"), "a_a\tb_b\n1\t2\n".encode("utf-16-le"),
    b"\x89PNG\0\0", b"PK\3\4\0\0"])
def test_utf_16_and_what_is_no_text(data):
    with pytest.raises(InputError, match="UTF-16 or no text"):
        opened(data if b"\0" in data[:4] else data[:3] + b"\0")


def test_a_mark_and_no_utf_8_behind(monkeypatch):
    monkeypatch.setattr("plankton_features.images.ecotaxa.table._BLOCK", 12)
    with pytest.raises(InputError, match="line 3: begins as UTF-8, and the byte E9"):
        cells_of(opened(BOM + b"a_a\tb_b\n1\t2\n1\t\xe9\n"))


@pytest.mark.parametrize(("second", "is_types"), [
    ("[t]\t[f]\t[t]", True), ("[T]\t[F]\t[t]", True), ("\t\t[f]", True), ("[f]\t[H]\t[t]", True),
    ("[f]\t[H]\tx", False), ("\t\t", False), ("1\t2\t[t]", False), ("[f]\t[t]", True),
])
def test_a_row_of_types_is_seen_not_assumed(second, is_types):
    table = opened(f"object_id\tobject_a\tobject_b\n{second}\nx\t1\t2\n".encode())
    assert table.has_types == is_types
    assert len(cells_of(table)) == 1 + (not is_types and bool(second))


def test_names_are_stripped_lowered_composed_and_told_apart():
    nfd = unicodedata.normalize("NFD", "object_é")
    table = opened(f" Object_ID\t{nfd}\tOBJECT_É\tobject_a \tobject_A\n".encode())
    assert [column.name for column in table.columns] == [
        "object_id", "object_é", "object_é.2", "object_a", "object_a.2"]
    assert table.place("object_a") == 3
    assert table.place("object_b") is None


def test_500_columns():
    names = [f"object_f{i}" for i in range(500)]
    table = opened("\n".join("\t".join(row) for row in (
        names, ["[f]"] * 500, [str(i) for i in range(500)])).encode())
    assert [column.name for column in table.columns] == names
    assert cells_of(table) == [(3, [str(i) for i in range(500)])]


def test_short_rows_are_filled_and_long_ones_are_wrong():
    table = opened(b"a_a\tb_b\tc_c\n1\n1\t2\t3\t\n1\t2\t3\t4\n\n5\t6\t7")
    assert [(row.line, row.cells, bool(row.wrong)) for row in table.rows()] == [
        (2, ["1", "", ""], False), (3, ["1", "2", "3"], False), (4, ["1", "2", "3"], True),
        (6, ["5", "6", "7"], False)]


def test_tabs_behind_the_header_do_no_harm_until_something_stands_there():
    table = opened(b"a_a\tb_b\t\t\n1\t2\t\t\n1\t2\t3\t\n")
    assert [row.wrong for row in table.rows()] == ["", "it has a value in a column without name"]


def test_a_line_that_ends_with_an_empty_cell_without_line_end():
    assert cells_of(opened(b"a_a\tb_b\n1\t")) == [(2, ["1", ""])]


@pytest.mark.parametrize("text", ['a_a\tb_b\n1\t2\n3\t"4\n5\t6\n', 'a_a\tb_b\n1\t2\n3\t"4""'])
def test_a_quote_without_end(text):
    with pytest.raises(InputError, match=r"ecotaxa_a\.tsv: line 3: a quote has no end"):
        cells_of(opened(text.encode()))


def test_lines_that_quotes_swallowed_are_no_object():
    text = 'a_a\tb_b\tc_c\n1\t"2 mm\t3\n4\t5"\t6\n7\t"8\n8"\t9\n'
    rows = list(opened(text.encode()).rows())
    assert [(row.line, bool(row.wrong)) for row in rows] == [(2, True), (4, False)]
    assert "quote" in rows[0].wrong


def test_a_quote_within_a_cell_is_a_letter():
    assert cells_of(opened(b'a_a\tb_b\n5" net\ta"b"\n')) == [(2, ['5" net', 'a"b"'])]


def test_no_header():
    for data in (b"", b"\n\n", b"\t\t\n1\t2\t3\n", BOM):
        with pytest.raises(InputError, match="names of columns"):
            opened(data)


def test_hostile_sizes():
    with pytest.raises(InputError, match="5,001"):
        opened(b"\t".join([b"object_a"] * 5001))
    with pytest.raises(InputError, match="line 2 has more than"):
        cells_of(opened(b"a_a\tb_b\n" + b"\t" * (MOST_LINE + 1)))
    with pytest.raises(InputError, match="line 2: field larger"):
        cells_of(opened(b"a_a\tb_b\n" + b"x" * 200_000))


def test_a_file_that_cannot_be_read():
    def refuse():
        raise PermissionError(13, "Permission denied")

    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        open_table("t", refuse)


@settings(max_examples=150)
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_it(data, marked):
    try:
        table = opened(BOM * marked + b"object_id\timg_file_name\n" + data)
        rows = list(table.rows())
    except InputError as error:
        rows, told = [], str(error)
    else:
        told = "ecotaxa_a.tsv: "
    assert told.startswith("ecotaxa_a.tsv: ")
    assert all(len(row.cells) == 2 for row in rows)
