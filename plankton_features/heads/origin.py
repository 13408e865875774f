"""Where a head's vectors come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_FACTS = ("engine", "precision", "device", "batch", "weights_source")


@dataclass(frozen=True)
class Origin:
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


def origin_of(features: Any) -> Origin:
    """What a feature file says of its vectors; nothing is known of an array.

    Parameters
    ----------
    features : FeatureFile or array-like

    Returns
    -------
    Origin

    Examples
    --------
    >>> origin_of([[0.0, 1.0]]).recipe_id
    ''
    """
    if not hasattr(features, "recipe_id"):
        return Origin()
    facts = {name: features.attributes.get(name, "") for name in _FACTS}
    return Origin(features.recipe, features.recipe_id, features.feature_names,
                  {**facts, "features": str(features.path)})
