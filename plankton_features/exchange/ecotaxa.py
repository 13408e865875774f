"""Tables that EcoTaxa imports: new objects with pictures, or an update of those that are there."""

from __future__ import annotations

import csv
import io
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plankton_features.errors import ImageFailure, InputError
from plankton_features.exchange.ecotaxa_layout import Layout
from plankton_features.files.replacing import replacing
from plankton_features.files.targets import check_output
from plankton_features.heads.predictions import Predictions
from plankton_features.images.ecotaxa.columns import status_of
from plankton_features.images.ecotaxa.fields import LONGEST
from plankton_features.images.ecotaxa.objects import Objects, read_objects
from plankton_features.images.ecotaxa.table import Row, Table
from plankton_features.images.sources.ecotaxa_bundle import Bundle
from plankton_features.images.spelling import as_on_disk

_STATUS, _TAXON, _TAXON_ID = ("object_annotation_status", "object_annotation_category",
                              "object_annotation_category_id")
#: What EcoTaxa empties of a predicted object.
_OF_PERSON = ("object_annotation_person_name", "object_annotation_person_email",
              "object_annotation_date", "object_annotation_time", "object_annotation_hierarchy")
#: What people have said is not overwritten.
_BY_MACHINE = ("", "predicted")
_Key = tuple[str, str, str]


def write_ecotaxa(
    folder: str | os.PathLike[str], source: str | os.PathLike[str], paths: Sequence[str],
    classes: Sequence[str], predictions: Predictions, *, update: bool = False, head_id: str = "",
    taxon_ids: Mapping[str, int] | None = None, overwrite: bool = False,
) -> list[Path]:
    """Write what was predicted of EcoTaxa's objects as tables that EcoTaxa imports.

    The tables of the source are written again, with all their columns that an import takes, each
    cell as it was; predicted objects get status and taxon, and free columns
    ``object_pf_score``, ``object_pf_head``, ``object_pf_taxon2``, ``object_pf_score2``,
    ``object_pf_taxon3`` and ``object_pf_score3``, as far as a project has room for them. EcoTaxa
    itself gives each predicted object of an import the score 1. What a person has validated, called
    dubious or discarded keeps its annotation.

    Parameters
    ----------
    folder : path-like
        Gets the tables. It is made if it is not there.
    source : path-like
        The export or import that the pictures were read from; it is read again.
    paths : sequence of str of length n
        Of the pictures, as in the catalog or feature file.
    classes : sequence of str of length K
        Taxa, as EcoTaxa calls them.
    predictions : Predictions
        Of n pictures. Those not accepted get no taxon.
    update : bool, default=False
        For objects that are in EcoTaxa: without pictures, one line for each object. Objects that
        get no new taxon are left out, so that the import changes nothing of them.
    head_id : str, optional
    taxon_ids : mapping of str to int, optional
        EcoTaxa's numbers of taxa; those that tables of the source have are known.
    overwrite : bool, default=False
        Replace files that are there.

    Returns
    -------
    list of Path
        The tables, in UTF-8 with mark and a row of types.

    Raises
    ------
    InputError
        If lengths differ, a path is no picture of the source, no object gets a new taxon, or a file
        is there and `overwrite` is False. Then nothing is written.
    """
    bundle = Bundle(Path(as_on_disk(os.fspath(source))))
    objects = read_objects(bundle)
    said = _said(objects, paths, classes, predictions, head_id)
    numbers = {**_known_ids(objects), **(taxon_ids or {})}
    writer = _Writer(bundle, objects.faults, said, numbers, update)
    layout = Layout(objects, pictures=not update)
    texts = {table.name: text for table in objects.tables
             if (text := writer.text(table, layout))}
    if not writer.n_new:
        raise InputError(f"{source}: no object gets a new taxon: all are validated, dubious or "
                         "discarded, or the head abstained. There is nothing to import.")
    files = {Path(folder) / _table_path(name): text.encode("utf-8-sig")
             for name, text in texts.items()}
    pictures = {Path(folder) / _folder_path(path): path for path in writer.pictures}
    for file in (*files, *pictures):
        file.parent.mkdir(parents=True, exist_ok=True)
        check_output(file, overwrite)
    for target, path in pictures.items():
        _write(target, bundle.read(path))
    for target, data in files.items():
        _write(target, data)
    return list(files)


@dataclass(frozen=True)
class _Said:
    """What is said of an object: up to three taxa with their scores."""

    taxa: list[str]
    scores: list[float]
    accepted: bool
    head_id: str

    def cells(self) -> dict[str, str]:
        """The free columns."""
        found = {"object_pf_head": self.head_id[:LONGEST]}
        for i, (taxon, score) in enumerate(zip(self.taxa, self.scores, strict=True), start=1):
            end = str(i) if i > 1 else ""
            found[f"object_pf_score{end}"] = f"{score:.6g}"
            if end:
                found[f"object_pf_taxon{end}"] = taxon[:LONGEST]
        return found


class _Writer:
    """Writes tables; knows which pictures go with them."""

    def __init__(self, bundle: Bundle, faults: Mapping[str, str], said: Mapping[_Key, _Said],
                 taxon_ids: Mapping[str, int], update: bool):
        self.bundle, self.faults, self.update = bundle, faults, update
        self.said, self.ids = said, taxon_ids
        self.pictures: dict[str, None] = {}
        self.n_new = 0
        self._done: set[_Key] = set()

    def text(self, table: Table, layout: Layout) -> str:
        """A table with its header and types; empty if it has no row."""
        columns = layout.of(table)
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([list(columns), list(columns.values())])
        rows = 0
        for cells in self._rows(table):
            writer.writerow([cells.get(name, "") for name in columns])
            rows += 1
        return file.getvalue() if rows else ""

    def _rows(self, table: Table) -> Iterator[dict[str, str]]:
        names = [column.name for column in table.columns]
        for row in table.rows():
            cells = dict(zip(names, row.cells, strict=True))
            key = _key(cells)
            said = self.said.get(key)
            if said is None or f"{table.name}, line {row.line}" in self.faults or (
                    self.update and key in self._done):
                continue
            new = said.accepted and status_of(cells.get(_STATUS, "").strip()) in _BY_MACHINE
            if self.update and not new:
                continue
            if not self.update and not self._take_picture(table, row, cells):
                continue
            self.n_new += new and key not in self._done
            self._done.add(key)
            yield {**cells, **self._annotation(said, cells, new), **said.cells()}

    def _annotation(self, said: _Said, cells: Mapping[str, str], new: bool) -> dict[str, str]:
        if new:
            taxon = said.taxa[0]
            number = str(self.ids[taxon]) if taxon in self.ids else ""
            return {**dict.fromkeys(_OF_PERSON, ""), _STATUS: "predicted", _TAXON: taxon,
                    _TAXON_ID: number}
        told = cells.get(_STATUS, "").strip()
        return {_STATUS: "discarded"} if told == "X" else {}  # as an import calls it

    def _take_picture(self, table: Table, row: Row, cells: dict[str, str]) -> bool:
        """Note a row's picture; False if there is none. Its name begins at the table's folder."""
        try:
            place = self.bundle.place(table.name, cells["img_file_name"].strip())
            if place.size < 0:
                return False
        except (ValueError, ImageFailure):
            return False
        self.pictures[place.path] = None
        folder = posixpath.dirname(table.name)
        if posixpath.normpath(posixpath.join(folder, cells["img_file_name"])) != place.path:
            cells["img_file_name"] = posixpath.relpath(place.path, folder or ".")
        return True


def _said(objects: Objects, paths: Sequence[str], classes: Sequence[str],
          predictions: Predictions, head_id: str) -> dict[_Key, _Said]:
    if not len(paths) == len(predictions) or predictions.probabilities.shape[1] != len(classes):
        raise InputError(f"paths, classes: expected {len(predictions)} and "
                         f"{predictions.probabilities.shape[1]}, as in the predictions; got "
                         f"{len(paths)} and {len(classes)}.")
    key_of = {one.shown.path: _key({name: objects.cell(one, name) for name in
                                    ("sample_id", "acq_id", "object_id")})
              for one in objects.found}
    if unknown := [path for path in paths if path not in key_of]:
        raise InputError(f"paths: expected pictures of the source; {unknown[0]!r} is none. Give "
                         "the export or import that the features were made from.")
    ranks = predictions.ranked(3)
    scores = np.take_along_axis(predictions.probabilities, ranks, axis=1)
    return {key_of[path]: _Said([classes[code] for code in ranks[i]], scores[i].tolist(),
                                bool(predictions.accepted[i]), head_id)
            for i, path in enumerate(paths)}


def _known_ids(objects: Objects) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in objects.found:
        name, number = objects.cell(one, _TAXON), objects.cell(one, _TAXON_ID)
        if name and number.partition(".")[0].isdecimal():
            found.setdefault(name, int(number.partition(".")[0]))
    return found


def _key(cells: Mapping[str, str]) -> _Key:
    sample, acquisition, one = (cells.get(name, "").strip()
                                for name in ("sample_id", "acq_id", "object_id"))
    return sample, acquisition, one


def _folder_path(path: str) -> str:
    """A path in which an archive is a folder."""
    return path.replace("Images.zip/", "Images/", 1)


def _table_path(path: str) -> str:
    """Where a table is written, by a name that EcoTaxa finds."""
    folder, _, name = _folder_path(path).rpartition("/")
    stem = name.rpartition(".")[0]
    stem = f"ecotaxa{stem[7:]}" if stem.lower().startswith("ecotaxa") else f"ecotaxa_{stem}"
    return posixpath.join(folder, f"{stem}.tsv")


def _write(path: Path, data: object) -> None:
    with replacing(path) as file:
        file.write(data)
