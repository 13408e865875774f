"""What there is to choose from is in the documentation: options, names, commands, datasets."""

import argparse
import importlib

import pytest
from doc_pages import PAGES

from plankton_features.cli.main import COMMANDS

TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def options_of(command):
    parser = argparse.ArgumentParser(add_help=False)
    module = importlib.import_module(f"plankton_features.cli.{command.replace('-', '_')}")
    module.add_arguments(parser)
    return [max(action.option_strings, key=len) for action in parser._actions
            if action.option_strings]


@pytest.mark.parametrize(("command", "option"), [
    (command, option) for command in COMMANDS for option in options_of(command)])
def test_every_option_is_documented(command, option):
    assert f"`{option}" in TEXT


def test_every_name_to_choose_is_documented():
    from plankton_features.embedding import PRESETS
    from plankton_features.finetuning import draws
    from plankton_features.finetuning.augmentation import AUGMENTATIONS
    from plankton_features.finetuning.schedules import SCHEDULES
    from plankton_features.heads.classifiers import CLASSIFIERS
    from plankton_features.heads.sampling import SAMPLERS

    for name in (*SAMPLERS, *CLASSIFIERS, *draws.SAMPLERS, *AUGMENTATIONS, *SCHEDULES, *PRESETS):
        assert f"`{name}`" in TEXT


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert f"plankton-features {command}" in TEXT or f"{command}-" in TEXT


def test_every_dataset_is_documented():
    from plankton_features.store.schema import TABLES

    for table, columns in TABLES.items():
        assert f"`{table}/" in TEXT
        for column in columns:
            assert f"`{column}`" in TEXT or f"/{column}`" in TEXT
