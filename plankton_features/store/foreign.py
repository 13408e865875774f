"""HDF5 files of other programs, by name."""

from __future__ import annotations

from collections.abc import Collection

#: Names of root attributes or groups that only these files have.
_SIGNS = (
    ({"_NCProperties"}, "a netCDF file"),
    ({"keras_version", "model_weights", "_layer_checkpoint_dependencies"}, "a Keras network"),
    ({"PYTABLES_FORMAT_VERSION"}, "a table of pandas or PyTables"),
    ({"#refs#", "#subsystem#"}, "a MATLAB file"),
)


def whose(names: Collection[str]) -> str:
    """What an HDF5 file is that is no feature file.

    Parameters
    ----------
    names : collection of str
        Of its root attributes, and of what lies in its root.

    Returns
    -------
    str
        Such as ``a netCDF file``; empty if that cannot be told.

    Examples
    --------
    >>> whose({"_NCProperties", "temperature"}), whose({"x"})
    ('a netCDF file', '')
    """
    there = set(names)
    return next((kind for signs, kind in _SIGNS if signs & there), "")
