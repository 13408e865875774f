"""What columns EcoTaxa knows, and its limits."""

from __future__ import annotations

#: What the name of a column begins with, before its first underscore.
PREFIXES = ("object", "sample", "acq", "process", "img")
#: Those whose ``_id`` must be there if any other of their columns is.
WITH_ID = ("object", "sample", "acq", "process")
TEXT, NUMBER = "[t]", "[f]"
#: Columns with a place of their own in EcoTaxa, and their types, whatever the table's types say.
FIXED = {
    "img_file_name": TEXT, "img_rank": NUMBER,
    "object_id": TEXT, "object_lat": NUMBER, "object_lon": NUMBER, "object_date": TEXT,
    "object_time": TEXT, "object_link": TEXT, "object_depth_min": NUMBER,
    "object_depth_max": NUMBER, "object_annotation_status": TEXT,
    "object_annotation_person_name": TEXT, "object_annotation_person_email": TEXT,
    "object_annotation_date": TEXT, "object_annotation_time": TEXT,
    "object_annotation_category": TEXT, "object_annotation_category_id": NUMBER,
    "object_annotation_hierarchy": TEXT, "complement_info": TEXT,
    "sample_id": TEXT, "sample_dataportal_descriptor": TEXT, "process_id": TEXT,
    "acq_id": TEXT, "acq_instrument": TEXT,
}
#: Longest texts in characters; of other columns `LONGEST`.
LENGTHS = {"img_file_name": 255, "object_id": 255, "object_link": 255, "sample_id": 255,
           "acq_id": 255, "process_id": 255, "acq_instrument": 255,
           "sample_dataportal_descriptor": 8000}
LONGEST = 250
#: How many free columns a project can have: (prefix, type) or prefix to number.
MOST_FREE = {("object", NUMBER): 500, ("object", TEXT): 20, ("sample", TEXT): 60,
             ("acq", TEXT): 30, ("process", TEXT): 30}
MOST_TABLES = 2000
#: Formats of pictures, by Pillow's names, and their longest side in pixels.
PICTURES = ("PNG", "JPEG", "GIF")
MOST_SIDE = 20_000
STATUSES = ("validated", "predicted", "dubious", "discarded", "noid")


def prefix_of(name: str) -> str:
    """What a column tells of: one of `PREFIXES`, or empty if EcoTaxa does not know it.

    Examples
    --------
    >>> prefix_of("acq_sub_part"), prefix_of("complement_info"), prefix_of("area")
    ('acq', 'object', '')
    """
    if name == "complement_info":
        return "object"
    prefix, underscore, rest = name.partition("_")
    return prefix if prefix in PREFIXES and underscore and rest else ""
