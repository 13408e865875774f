"""CITATION.cff is what the Citation File Format 1.2.0 asks for, and says what setup.cfg says."""

import configparser
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
#: Of the schema: keys that must be there, and those that may be.
REQUIRED = {"cff-version", "message", "title", "authors"}
OPTIONAL = {"abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords",
            "license", "license-url", "preferred-citation", "references", "repository",
            "repository-artifact", "repository-code", "type", "url", "version"}
ENTITY = {"address", "alias", "city", "country", "date-end", "date-start", "email", "fax",
          "location", "name", "orcid", "post-code", "region", "tel", "website"}


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def metadata():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["metadata"]


def test_keys_are_those_of_the_format(citation):
    assert citation.keys() >= REQUIRED
    assert citation.keys() <= REQUIRED | OPTIONAL
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"


def test_values_are_of_the_kinds_of_the_format(citation):
    for key in ("message", "title", "abstract", "version", "license"):
        assert isinstance(citation[key], str)
        assert citation[key].strip()
    assert all(isinstance(word, str) for word in citation["keywords"])
    assert len(set(citation["keywords"])) == len(citation["keywords"])


def test_authors_are_entities(citation):
    assert citation["authors"]
    for author in citation["authors"]:
        assert author.keys() <= ENTITY
        assert author["name"]


def test_it_says_what_setup_cfg_says(citation, metadata):
    assert citation["title"] == metadata["name"]
    assert citation["version"] == metadata["version"]
    assert citation["license"] == metadata["license_expression"]


def test_the_changelog_has_this_version_first(metadata):
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line.split("]")[0][4:] for line in lines if line.startswith("## [")]
    assert versions[0] == metadata["version"]
