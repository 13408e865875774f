"""Which columns a table for EcoTaxa has, and their types, within the limits of a project."""

from __future__ import annotations

from collections import Counter

from plankton_features.images.ecotaxa.columns import types_of
from plankton_features.images.ecotaxa.fields import FIXED, MOST_FREE, NUMBER, TEXT, prefix_of
from plankton_features.images.ecotaxa.objects import Objects
from plankton_features.images.ecotaxa.table import Table, name_of

#: What is predicted, the most wanted first.
FREE = {"object_pf_score": NUMBER, "object_pf_head": TEXT, "object_pf_taxon2": TEXT,
        "object_pf_score2": NUMBER, "object_pf_taxon3": TEXT, "object_pf_score3": NUMBER}
_ANNOTATION = ("object_annotation_status", "object_annotation_category",
               "object_annotation_category_id")
_OF_PICTURES = ("img_file_name", "img_rank")


class Layout:
    """Columns of the tables of a source as they are written.

    Parameters
    ----------
    objects : Objects
    pictures : bool
        Whether pictures go with them.
    """

    def __init__(self, objects: Objects, *, pictures: bool):
        self.types, self.pictures = types_of(objects), pictures
        taken = Counter((prefix_of(name), kind) for name, kind in self.types.items()
                        if name not in FIXED and name not in FREE)
        self.free = []
        for name, kind in FREE.items():
            if taken["object", kind] < MOST_FREE["object", kind]:
                taken["object", kind] += 1
                self.free.append(name)

    def of(self, table: Table) -> dict[str, str]:
        """Names and types of a table's columns.

        Those that no import takes are left out: of no known beginning, such as the internal ids of
        an export, without name, or there twice.
        """
        own = [column.name for column in table.columns
               if self._is_taken(column.name) and column.name == name_of(column.spelled)]
        names = dict.fromkeys([*own, *_ANNOTATION, *self.free])
        return {name: FIXED.get(name) or FREE.get(name) or self.types[name] for name in names}

    def _is_taken(self, name: str) -> bool:
        prefix = prefix_of(name)
        if prefix == "img":
            return self.pictures and name in _OF_PICTURES
        return bool(prefix) and name not in FREE
