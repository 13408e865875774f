"""``plankton-features info FILE``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plankton_features.cli.streams import visible, visible_json

if TYPE_CHECKING:
    import pandas as pd

    from plankton_features.store import FeatureFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE.h5")
    parser.add_argument("--problems", action="store_true",
                        help="list all failures, duplicates, label conflicts and odd pictures")
    parser.add_argument("--json", action="store_true", help="print attributes and counts as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.store import read_features

    file = read_features(args.file)
    if args.json:
        print(visible_json(_summary(file)))
    elif args.problems:
        _show_problems(file)
    else:
        _show(file)
    return 0


def _summary(file: FeatureFile) -> dict[str, Any]:
    from plankton_features.extraction.remarks import remarks_on

    remarks = remarks_on(file)
    return {
        "path": str(file.path), "rows": file.shape[0], "values": file.shape[1],
        "found": sum(map(file.count, ("images", "duplicates", "failures"))),
        "duplicates": file.count("duplicates"),
        "failed": file.count("failures"), "label_conflicts": file.count_conflicts(),
        "several_pages": remarks.several_pages, "nearly_constant": remarks.flat,
        "full_scales": {f"{full:g}": n for full, n in remarks.full_scales.items()},
        "recipe_id": file.recipe_id, "recipe": file.recipe,
        "weights_source": file.attributes.get("weights_source", ""),
        "engine": file.attributes.get("engine", ""),
        "precision": file.attributes.get("precision", ""),
        "columns": [{"name": name, "type": kind, "unit": file.units.get(name, ""),
                     "missing": int(file.columns(name)[name].isna().sum())}
                    for name, kind in file.extra_columns.items()],
        "marked_bins": _marked_bins(file),
        "classes": file.columns("label")["label"].value_counts().to_dict(),
    }


def _marked_bins(file: FeatureFile) -> dict[str, str]:
    """Bins of an IFCB that fail a check, and why."""
    if not {"bin", "bin_checks"} <= set(file.extra_columns):
        return {}
    found: dict[str, str] = {}
    for table in ("images", "failures", "duplicates"):
        pairs = file.table(table, "bin", "bin_checks").drop_duplicates()
        found |= {str(row.bin): str(row.bin_checks) for row in pairs.dropna().itertuples()
                  if row.bin_checks != "passed"}
    return found


def _show(file: FeatureFile) -> None:
    from rich.table import Table

    from plankton_features.cli.display import console, escape

    summary = _summary(file)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    scales = summary["full_scales"].items()
    summary["full_scales"] = ", ".join(f"{full} in {n:,}" for full, n in scales)
    for name in ("path", "rows", "values", "found", "duplicates", "failed", "label_conflicts",
                 "several_pages", "nearly_constant", "full_scales", "recipe_id", "weights_source",
                 "engine", "precision"):
        value = summary[name]
        table.add_row(name, f"{value:,}" if isinstance(value, int) else escape(str(value)))
    for name, value in summary["recipe"].items():
        table.add_row(f"recipe {name}", escape(str(value)))
    for column in summary["columns"]:
        unit = f" in {column['unit']}" if column["unit"] else ""
        table.add_row(f"column {escape(column['name'])}", escape(
            f"{column['type']}{unit}, missing in {column['missing']:,}"))
    for name, why in summary["marked_bins"].items():
        table.add_row("marked bin", escape(f"{name}: {why}"))
    console.print(table)
    console.print()
    for name, n in summary["classes"].items():
        console.print(f"{n:>9,}  {escape(name) or '(unlabelled)'}")


def _show_problems(file: FeatureFile) -> None:
    for row in file.failures.itertuples():
        _print("failed", row.path, f"{row.stage}: {row.reason}")
    first = file.paths
    for row in file.duplicates.itertuples():
        _print("duplicate", row.path, f"of {first[row.row]}")
    for row in file.label_conflicts().itertuples():
        _print("label conflict", f"{row.path} ({row.label})",
               f"{row.first_path} ({row.first_label})")
    _show_odd_pictures(file.columns("path", "several_pages", "contrast"))


def _show_odd_pictures(images: pd.DataFrame) -> None:
    from plankton_features.extraction.remarks import LEAST_CONTRAST

    for row in images[images["several_pages"] > 0].itertuples():
        _print("several pages", row.path, "only the first is used")
    for row in images[images["contrast"].between(0, LEAST_CONTRAST - 1)].itertuples():
        _print("nearly constant", row.path, f"all values within {row.contrast + 1} of 256")


def _print(*fields: str) -> None:
    """A line of fields parted by tabs."""
    print("\t".join(map(visible, fields)))


def prints(args: argparse.Namespace) -> bool:
    """Whether the result is what is printed: always."""
    return True
