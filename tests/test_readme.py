"""README and command line do not drift apart."""

import argparse
import importlib
from pathlib import Path

import pytest

from plankton_features.cli.main import COMMANDS

README = Path(__file__).parents[1] / "README.md"


def options_of(command):
    parser = argparse.ArgumentParser(add_help=False)
    module = importlib.import_module(f"plankton_features.cli.{command.replace('-', '_')}")
    module.add_arguments(parser)
    return [max(action.option_strings, key=len) for action in parser._actions
            if action.option_strings]


@pytest.mark.parametrize(("command", "option"), [
    (command, option) for command in ("extract", "fit", "classify", "fine-tune")
    for option in options_of(command)])
def test_every_option_of_the_main_commands_is_in_the_readme(command, option):
    assert f"`{option}" in README.read_text(encoding="utf-8")


def test_every_sampler_and_classifier_is_in_the_readme():
    from plankton_features.finetuning import draws
    from plankton_features.finetuning.augmentation import AUGMENTATIONS
    from plankton_features.finetuning.schedules import SCHEDULES
    from plankton_features.heads.classifiers import CLASSIFIERS
    from plankton_features.heads.sampling import SAMPLERS

    text = README.read_text(encoding="utf-8")
    for name in (*SAMPLERS, *CLASSIFIERS, *draws.SAMPLERS, *AUGMENTATIONS, *SCHEDULES):
        assert f"`{name}`" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command):
    text = README.read_text(encoding="utf-8")
    assert f"plankton-features {command}" in text or f"{command}-" in text


def test_every_dataset_is_in_the_readme():
    from plankton_features.store.schema import TABLES

    text = README.read_text(encoding="utf-8")
    for table, columns in TABLES.items():
        assert f"`{table}/" in text
        for column in columns:
            assert f"`{column}`" in text or f"/{column}`" in text
