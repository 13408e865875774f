"""Write a trained network: Keras' own file, with its recipe and its head within."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.classifier_network import Network, assemble_network, saved_form
from plankton_features.embedding.keras_setup import dtype_policy, import_keras, quiet_saving
from plankton_features.embedding.layers import construct_backbone
from plankton_features.embedding.model_file import (
    DESCRIPTION,
    FORMAT,
    VERSION,
    weights_identity,
)
from plankton_features.embedding.recipe import Recipe
from plankton_features.files.replacing import replacing
from plankton_features.finetuning.stepping import arrays_of, assign
from plankton_features.heads.file.persistence import WITHIN_MODEL, head_bytes
from plankton_features.heads.head import Head


def in_float32(network: Network) -> Network:
    """A network of its own with the same weights, all of whose layers compute in float32."""
    keras = import_keras()
    recipe = network.recipe
    with dtype_policy(keras, "float32"):
        backbone = construct_backbone(get_backbone(recipe.backbone), recipe.canvas)
    copy = assemble_network(recipe, backbone, network.top.output.shape[-1],
                            hidden=network.hidden, dropout=network.dropout)
    assign(copy.trunk.weights, arrays_of(network.trunk.weights))
    assign(copy.top.weights, arrays_of(network.top.weights))
    return copy


def write_network(network: Network, classes: list[str], path: Path) -> Recipe:
    """Write a network without its head yet.

    Parameters
    ----------
    network : Network
        In float32.
    classes : list of str, length K
    path : Path
        Ends with ``.keras``; is replaced.

    Returns
    -------
    Recipe
        Of the vectors that it gives.
    """
    with quiet_saving():
        saved_form(network).save(path)
    recipe = json.loads(network.recipe.to_json())
    del recipe["weights"]
    told = {"format": FORMAT, "version": VERSION, "recipe": recipe, "classes": classes,
            "hidden": network.hidden, "dropout": network.dropout}
    with ZipFile(path, "a") as archive:
        archive.writestr(DESCRIPTION, json.dumps(told, ensure_ascii=False))
    return replace(network.recipe, weights=weights_identity(path))


def add_head(path: Path, head: Head) -> None:
    """Put the head that classifies a network's vectors into its file."""
    with ZipFile(path, "a") as archive:
        archive.writestr(WITHIN_MODEL, head_bytes(head))


def put_in_place(made: Path, target: Path) -> None:
    """Copy a finished file to where it belongs, whole or not at all.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    with made.open("rb") as source, replacing(target) as file:
        while block := source.read(2**20):
            file.write(block)
