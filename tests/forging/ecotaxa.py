"""EcoTaxa exports and imports, written by the lists of fields that its sources and help give.

Nothing of the package is used, so that its reader and checks are held against something else.
"""

import io
import zipfile

import numpy as np
from PIL import Image

TAXA = {"Copepoda": (25828, "living>Eukaryota>Metazoa>Arthropoda>Copepoda"),
        "egg<other": (85078, "living>Eukaryota>temporary>other>egg"),
        "détritus": (84963, "not-living>détritus")}
HEAD = ["object_id", "object_lat", "object_lon", "object_date", "object_time", "object_link",
        "object_depth_min", "object_depth_max", "object_annotation_status",
        "object_annotation_person_name", "object_annotation_person_email",
        "object_annotation_date", "object_annotation_time", "object_annotation_category"]
FREE = ["object_area", "object_feret", "object_comment"]
PARENTS = ["sample_id", "sample_dataportal_descriptor", "sample_tot_vol", "sample_ship",
           "process_id", "process_particle_pixel_size_mm", "acq_id", "acq_instrument",
           "acq_sub_part"]
NUMBERS = {"img_rank", "object_lat", "object_lon", "object_depth_min", "object_depth_max",
           "object_annotation_category_id", "object_area", "object_feret"}


def picture(seed, size=(14, 11), kind="PNG"):
    rng = np.random.default_rng(seed)
    data = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(data, kind)
    return data.getvalue()


def objects(samples=2, each=4, seed=0):
    """Objects of a project: columns to values, and their pictures as (name, rank, bytes).

    Every second one is validated, every fifth has three pictures, the lowest rank not first.
    """
    rng = np.random.default_rng(seed)
    names = list(TAXA)
    found = []
    for i in range(samples * each):
        sample, taxon = f"samp {i // each + 1}", names[i % len(names)]
        status = ("validated", "predicted", "validated", "dubious", "X", "validated", "")[i % 7]
        number, lineage = TAXA[taxon]
        cells = dict.fromkeys([*HEAD, *FREE, *PARENTS], "") | {
            "object_id": f"{sample}_{i:04}", "object_lat": 43.5, "object_lon": -7.25,
            "object_date": "2020-02-05", "object_time": "11:18:23", "object_depth_min": 10.0 + i,
            "object_depth_max": 11.0 + i, "object_annotation_status": status,
            "object_area": float(round(rng.uniform(10, 900), 3)),
            "object_comment": 'say "é"\tor not' if i % 3 else "",
            "sample_id": sample, "sample_tot_vol": "9.75", "sample_ship": "méteor",
            "process_id": f"p_{sample}", "process_particle_pixel_size_mm": "0.0106",
            "acq_id": f"acq_{sample}_{i % 2}", "acq_instrument": "zooscan", "acq_sub_part": "4"}
        if status:
            cells |= {"object_annotation_category": taxon}
        pictures = [(f"{i:04}.png", 0, picture((seed, i)))]
        if i % 5 == 4:
            pictures = [(f"{i:04}_{rank}.png", rank, picture((seed, i, rank)))
                        for rank in (3, 1, 100)]
        found.append({"cells": cells, "pictures": pictures, "lineage": lineage if status else "",
                      "taxon_id": number if status else ""})
    return found


def quoted(value):
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return repr(value)


def table(rows, columns, types=False, end="\n"):
    """Text of a table as EcoTaxa's export writes it: all text in quotes, numbers bare."""
    lines = [columns]
    if types:
        lines.append(["[f]" if name in NUMBERS else "[t]" for name in columns])
    lines += [[row.get(name, "") for name in columns] for row in rows]
    return "".join("\t".join(quoted(value) if value != "" else "" for value in line) + end
                   for line in lines)


def rows_of(project, path, taxon_column):
    """One row for each picture; `path(cells, name, rank)` is what img_file_name holds."""
    for one in project:
        taxon = {"object_annotation_hierarchy": one["lineage"],
                 "object_annotation_category_id": one["taxon_id"]}[taxon_column]
        for name, rank, data in one["pictures"]:
            yield {**one["cells"], taxon_column: taxon, "img_rank": rank,
                   "img_file_name": path(one, name, rank)}, data


def columns_of(taxon_column, images=True):
    return [*(["img_file_name", "img_rank"] if images else []), *HEAD, taxon_column, *FREE,
            *PARENTS]


def files_of_export(kind, project, name="export__TSV_42_20260101_1200", types=False):
    """Files of an export, path to bytes.

    Parameters
    ----------
    kind : {"general", "sample", "acquisition", "taxon", "backup", "annotations", "doi"}
    """
    by = {"sample": "sample_id", "acquisition": "acq_id", "taxon": "object_annotation_category"}
    files = {"job_7.log": b"log"}
    if kind == "general":
        found = list(rows_of(project, lambda _, n, __: f"{name}/{n}",
                             "object_annotation_hierarchy"))
        tables = {f"ecotaxa_{name}.tsv": [row for row, _ in found]}
        types_row, taxon = types, "object_annotation_hierarchy"
    elif kind in by:
        def folder(one):
            value = one["cells"][by[kind]] or "unclassified"
            return "".join(c if c.isascii() and (c.isalnum() or c in " .-()") else "_"
                           for c in value) if kind == "taxon" else value

        found = list(rows_of(project, lambda one, n, _: f"{folder(one)}/{n}",
                             "object_annotation_hierarchy"))
        tables = {}
        for row, _ in found:
            tables.setdefault(f"ecotaxa_{row['img_file_name'].split('/')[0]}.tsv", []).append(row)
        types_row, taxon = types, "object_annotation_hierarchy"
    elif kind == "backup":
        found = list(rows_of(project, lambda _, n, __: n, "object_annotation_category_id"))
        tables = {}
        for row, data in found:
            row["object_date"] = row["object_date"].replace("-", "")
            row["object_time"] = row["object_time"].replace(":", "")
            sample = row["sample_id"]
            tables.setdefault(f"{sample}/ecotaxa_{sample}.tsv", []).append(row)
            files[f"{sample}/{row['img_file_name']}"] = data
        types_row, taxon, found = True, "object_annotation_category_id", []
    elif kind == "annotations":
        found = []
        tables = {"ecotaxa_annotations.tsv": [
            one["cells"] | {"object_annotation_category_id": one["taxon_id"]} for one in project]}
        types_row, taxon = True, "object_annotation_category_id"
    else:
        found = list(rows_of(
            project, lambda one, n, rank:
            f"images/x__{one['taxon_id'] or 0}/{one['cells']['object_id'][-4:]}_{rank}.png",
            "object_annotation_category_id"))
        tables = {f"ecotaxa_{name}.tsv": [row for row, _ in found]}
        types_row, taxon = types, "object_annotation_category_id"
    files |= {row["img_file_name"]: data for row, data in found}
    columns = columns_of(taxon, images=kind != "annotations")
    for path, rows in tables.items():
        files[path] = b"\xef\xbb\xbf" + table(rows, columns, types_row).encode()
    return files


def put(files, root):
    """Write files below a folder, or into a zip archive if it ends so."""
    if root.suffix == ".zip":
        with zipfile.ZipFile(root, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in files.items():
                archive.writestr(path, data)
        return root
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def importable(rows=2):
    """A table of an import without a fault, as lists of cells, and its pictures."""
    columns = ["object_id", "img_file_name", "img_rank", "object_lat", "object_lon", "object_date",
               "object_time", "object_annotation_status", "object_annotation_category",
               "object_annotation_category_id", "object_area", "object_note", "sample_id",
               "sample_ship", "acq_id", "acq_volume", "process_id"]
    types = ["[f]" if name in NUMBERS else "[t]" for name in columns]
    cells = [[f"o{i}", f"{i}.png", "0", "43.5", "-7", "20200205", "1118", "predicted", "Copepoda",
              "", "12.5", "é", "s1", "meteor", "a1", "1", "p1"] for i in range(rows)]
    return [columns, types, *cells], {f"{i}.png": picture(i) for i in range(rows)}


def plain_table(lines):
    """Bytes of a table as a spreadsheet writes it."""
    return b"\xef\xbb\xbf" + "".join("\t".join(line) + "\r\n" for line in lines).encode()
