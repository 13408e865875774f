"""What EcoTaxa's import would refuse in the rows of tables."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from plankton_features.errors import ImageFailure, one_line
from plankton_features.images.ecotaxa import values
from plankton_features.images.ecotaxa.fields import (
    FIXED,
    LENGTHS,
    LONGEST,
    MOST_SIDE,
    NUMBER,
    PICTURES,
    STATUSES,
    TEXT,
)
from plankton_features.images.ecotaxa.table import Row, Table
from plankton_features.images.sources.ecotaxa_bundle import Bundle

_Found = tuple[int, str, str]
_CATEGORY = ("object_annotation_category_id", "object_annotation_category")
_STATUS = "object_annotation_status"


def _whole(text: str) -> None:
    if (value := values.number(text)) is not None and not value.is_integer():
        raise ValueError("no whole number")


def _real(text: str) -> None:
    if "," in text:
        raise ValueError("EcoTaxa's import takes no comma in numbers")
    values.number(text)


def _status(text: str) -> None:
    if text.lower() not in STATUSES:
        raise ValueError("no status")


#: What a value must be read by, and what is expected.
_READERS: dict[str, tuple[Callable[[str], object], str]] = {
    "object_lat": (lambda text: values.degrees(text, 90), "decimal degrees from -90 to 90"),
    "object_lon": (lambda text: values.degrees(text, 180), "decimal degrees from -180 to 180"),
    "object_date": (values.date, "a day as YYYYMMDD or YYYY-MM-DD"),
    "object_time": (values.time, "a time as HHMMSS or HH:MM:SS"),
    "object_annotation_date": (values.date, "a day as YYYYMMDD or YYYY-MM-DD"),
    "object_annotation_time": (values.time, "a time as HHMMSS or HH:MM:SS"),
    "object_annotation_category_id": (_whole, "EcoTaxa's number of a taxon"),
    _STATUS: (_status, "validated, predicted or dubious"),
}
_NUMBER = (_real, "a number, or an empty cell")


class Rows:
    """Checks rows of one table after the other; ids are compared over all.

    Parameters
    ----------
    bundle : Bundle
        Where pictures are.
    update : bool
        Pictures are not needed.
    """

    def __init__(self, bundle: Bundle, *, update: bool):
        self.bundle, self.update = bundle, update
        self._seen: dict[tuple[str, str], str] = {}
        self._sample_of: dict[str, str] = {}

    def problems(self, table: Table, types: Mapping[str, str]) -> Iterator[_Found]:
        """Yield line, column and what is wrong.

        Parameters
        ----------
        table : Table
        types : mapping of str to str
            Of free columns, over all tables.

        Raises
        ------
        InputError
            If it cannot be read to its end.
        """
        names = [column.name for column in table.columns]
        readers = [_READERS.get(name) or (
            _NUMBER if (FIXED.get(name) or types.get(name)) == NUMBER else None) for name in names]
        known: set[tuple[int, str]] = set()
        empty = True
        for row in table.rows():
            empty = False
            if row.wrong:
                yield row.line, "", f"The line cannot be read: {row.wrong}. Correct it."
                continue
            for i, cell in enumerate(row.cells):
                if (text := cell.strip()) and (i, text) not in known:
                    known.add((i, text))
                    yield from ((row.line, names[i], what) for what in _of_value(
                        names[i], text, readers[i], is_text=types.get(names[i], TEXT) == TEXT))
            yield from self._of_row(table, row, dict(zip(
                names, map(str.strip, row.cells), strict=True)))
        if empty:
            yield 0, "", "There is no object below header and types. Remove the table, or fill it."

    def _of_row(self, table: Table, row: Row, cells: Mapping[str, str]) -> Iterator[_Found]:
        object_id, picture = cells.get("object_id", ""), cells.get("img_file_name", "")
        if not object_id and "object_id" in cells:
            yield row.line, "object_id", "The cell is empty. Every object needs an id."
        place = f"{table.name}, line {row.line}"
        first = self._seen.setdefault((object_id, picture), place)
        if first != place:
            yield row.line, "object_id", (f"Object '{object_id}' with picture '{picture}' is there "
                                          f"already: {first}. Remove one of them.")
        elif not self.update and "img_file_name" in cells and (
                what := self._of_picture(table.name, picture)):
            yield row.line, "img_file_name", what
        yield from ((row.line, *found) for found in _of_annotation(cells))
        sample, acquisition = cells.get("sample_id", ""), cells.get("acq_id", "")
        if sample and acquisition:
            of = self._sample_of.setdefault(acquisition, sample)
            if of != sample:
                yield row.line, "acq_id", (f"Acquisition '{acquisition}' is of sample '{of}' in a "
                                           f"line before, and of '{sample}' here. An acquisition "
                                           "has one sample: give it another acq_id.")

    def _of_picture(self, table: str, name: str) -> str:
        """Why a picture would be refused; empty if it would not."""
        try:
            place = self.bundle.place(table, name)
        except ValueError as error:
            return f"{error}."
        if place.size < 0:
            return f"There is no file '{name}'. Put it beside the table, or correct the name."
        try:
            data = self.bundle.read(place.path)
            assert isinstance(data, bytes)
            return _undecodable(data)
        except ImageFailure as failure:
            return f"The picture '{name}' cannot be read: {failure.reason}. Replace it."


def _of_value(name: str, text: str, reader: tuple[Callable[[str], object], str] | None, *,
              is_text: bool) -> Iterator[str]:
    if reader is not None:
        read, expected = reader
        try:
            read(text)
        except ValueError:
            yield f"Expected {expected}; got '{text[:60]}'. Correct it, or leave the cell empty."
        return
    most = LENGTHS.get(name, LONGEST if name not in FIXED and is_text else None)
    if most is not None and len(text) > most:
        yield (f"The text has {len(text):,} letters, and EcoTaxa takes up to {most:,}. Shorten it: "
               f"'{text[:30]}...'.")


def _of_annotation(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    status = cells.get(_STATUS, "")
    taxon = any(cells.get(name) for name in _CATEGORY)
    if status and not taxon:
        yield _CATEGORY[1], (f"The status is '{status}', and there is no taxon. Give a taxon, or "
                             "no status.")
    if taxon and not status:
        yield _STATUS, "There is a taxon without status. Write predicted, validated or dubious."


@contextmanager
def _silent() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow tells of odd metadata, and of large pictures
        yield


def _undecodable(data: bytes) -> str:
    try:
        with _silent(), Image.open(io.BytesIO(data)) as image:
            if image.format not in PICTURES:
                return (f"The picture is {image.format}, and EcoTaxa takes PNG, JPEG and GIF only. "
                        "Save it as PNG.")
            if max(image.size) > MOST_SIDE:
                return (f"The picture has {image.size[0]:,} x {image.size[1]:,} pixels, and "
                        f"EcoTaxa takes up to {MOST_SIDE:,} on a side. Shrink it.")
            image.load()
    except UnidentifiedImageError:
        return "This is no picture, or its begin is damaged. Save it again."
    except Exception as error:  # noqa: BLE001 (Pillow raises nearly anything on damage)
        return f"The picture cannot be decoded: {one_line(error, 120)}. Save it again."
    return ""
