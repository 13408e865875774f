"""Where a head's vectors come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plankton_features.errors import InputError, MismatchError, check_same
from plankton_features.heads.head import Head

_FACTS = ("engine", "precision", "device", "batch", "weights_source")


@dataclass(frozen=True)
class Source:
    """Where vectors come from; goes into the head.

    Attributes
    ----------
    recipe : dict
    recipe_id : str
    feature_names : sequence of str
        By default ``value_0`` and so on.
    info : dict
        JSON-able; further facts, such as the engine.
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    recipe_id: str = ""
    feature_names: Sequence[str] = ()
    info: Mapping[str, Any] = field(default_factory=dict)


def source_of(features: Any) -> Source:
    """What a feature file says of its vectors; nothing is known of an array.

    Parameters
    ----------
    features : FeatureFile or array-like

    Returns
    -------
    Source

    Examples
    --------
    >>> source_of([[0.0, 1.0]]).recipe_id
    ''
    """
    if not hasattr(features, "recipe_id"):
        return Source()
    facts = {name: features.attributes.get(name, "") for name in _FACTS}
    return Source(features.recipe, features.recipe_id, features.feature_names,
                  {**facts, "features": str(features.path)})


def check_takes_images(head: Head, name: object = "head") -> None:
    """Refuse a head that does not say how vectors are made of images.

    Parameters
    ----------
    head : Head
    name : object
        Begins the message: where the head lies.

    Raises
    ------
    InputError
        If it was fitted on an array.
    """
    if not head.recipe:
        raise InputError(f"{name}: was fitted on {head.vectors_of}, so it does not say how images "
                         f"become vectors. {_takes(head)} To classify images, fit a head on their "
                         "feature file.")


def check_takes(head: Head, features: Any) -> None:
    """Refuse a feature file that was made in another way than the vectors that a head knows.

    Parameters
    ----------
    head : Head
    features : FeatureFile

    Raises
    ------
    MismatchError
        If the recipes differ or, of a head that was fitted on an array, the numbers of values.
    """
    if head.recipe:
        check_same(features.recipe, head.recipe,
                   f"{features.path}: made with another recipe than the head's",
                   "Give the images instead, whose features are then extracted with the head's "
                   "own recipe; or a head that was fitted on such features.", whole=True)
        return
    found, asked = features.shape[1], len(head.feature_names)
    if found != asked:
        raise MismatchError(f"{features.path}: has vectors of {found:,} values, the head was "
                            f"fitted on {head.vectors_of}. {_takes(head)}",
                            {"values": (found, asked)})


def _takes(head: Head) -> str:
    return (f"It takes arrays (in Python) or feature files of {len(head.feature_names):,} values "
            "only.")
