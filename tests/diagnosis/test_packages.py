"""Which packages are there."""

import pytest

from plankton_features.diagnosis import packages
from plankton_features.diagnosis.packages import Package, list_packages, own_version

ASKED = ["numpy>=1.26", 'openvino>=2025.0; platform_machine == "no such machine"',
         'colorama>=1; python_version >= "3"', 'tf2onnx>=1.17; extra == "onnx"',
         'sphinx>=8; extra == "docs"']


@pytest.fixture
def installed(monkeypatch):
    """Say what this package asks for, and which versions are installed."""

    def say(versions, asked=ASKED):
        def version(name):
            if name not in versions:
                raise packages.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(packages, "requires", lambda name: asked)
        monkeypatch.setattr(packages, "version", version)

    return say


def test_packages_of_this_machine_and_of_the_extras_of_users(installed):
    installed({"numpy": "2.0.0"})
    assert list_packages() == [Package("numpy", ">=1.26", "2.0.0"), Package("colorama", ">=1", ""),
                               Package("tf2onnx", ">=1.17", "", "onnx")]


@pytest.mark.parametrize(("needed", "got", "fits"), [
    (">=1.26", "1.26", True), (">=1.26", "1.9.5", False), (">=1.26", "", False),
    ("", "0.1", True), ("", "", False), ("==0.1.0", "0.2.0", False),
    (">=2.18", "2.20.0rc1", True),
])
def test_versions_are_compared_as_versions(needed, got, fits):
    assert Package("x", needed, got).fits is fits


def test_what_is_given_to_pip_is_safe_in_a_shell():
    assert Package("x", ">=1.26", "").to_install == '"x>=1.26"'
    assert Package("x", "", "").to_install == "x"


def test_running_from_a_folder_is_told_apart(monkeypatch):
    monkeypatch.setattr(packages, "DISTRIBUTION", "no_such_distribution")
    assert list_packages() == []
    assert own_version() == ""


def test_this_environment():
    found = {package.name: package for package in list_packages()}
    assert found["numpy"].fits
    assert found["tensorflow"].needed == ">=2.18"
    assert found["tf2onnx"].extra == "onnx"
    assert "ruff" not in found
    assert "sphinx" not in found
