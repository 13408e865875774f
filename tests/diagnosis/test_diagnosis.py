"""What follows from what was found."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import pytest

from plankton_features.diagnosis import apart, diagnose, diagnosis
from plankton_features.diagnosis.computer import Graphics
from plankton_features.diagnosis.packages import Package
from plankton_features.diagnosis.trial import EngineTrial
from plankton_features.embedding import engine_entry

OPENVINO = EngineTrial("openvino", "2026.4", "CPU", vector=(1.0, 2.0))
TENSORFLOW = EngineTrial("tensorflow", "2.21", "CPU", vector=(1.0, 2.0))
NO_OPENVINO = EngineTrial("openvino", failure="missing")
NO_TENSORFLOW = EngineTrial("tensorflow", failure="import")


@pytest.fixture
def found(monkeypatch):
    """A diagnosis of this machine with engines that were not tried here."""

    def make(openvino=OPENVINO, tensorflow=TENSORFLOW, **others):
        trials = {"openvino": openvino, "tensorflow": tensorflow}
        monkeypatch.setattr(diagnosis, "try_apart", trials.__getitem__)
        monkeypatch.setattr(diagnosis, "import_problems", lambda names: {})
        return replace(diagnose(), **others)

    return make


def test_both_engines(found):
    one = found()
    assert one.usable_engines == ["openvino", "tensorflow"]
    assert one.engine_of_auto == "openvino"
    assert one.similarity == pytest.approx(1)
    assert one.agree
    assert one.can_run


@pytest.mark.parametrize(("openvino", "tensorflow", "usable", "auto"), [
    (NO_OPENVINO, TENSORFLOW, ["tensorflow"], "tensorflow"),
    (OPENVINO, NO_TENSORFLOW, ["openvino"], "openvino"),
    (replace(OPENVINO, vector=(), failure="crash"), TENSORFLOW, ["tensorflow"], "openvino"),
    (OPENVINO, replace(TENSORFLOW, device="NVIDIA L4"), ["openvino", "tensorflow"], "tensorflow"),
    (NO_OPENVINO, NO_TENSORFLOW, [], "tensorflow"),
])
def test_usable_engines_and_what_auto_takes(found, openvino, tensorflow, usable, auto):
    one = found(openvino, tensorflow)
    assert one.usable_engines == usable
    assert one.engine_of_auto == auto
    assert one.can_run is (auto in usable)
    if len(usable) < 2:
        assert one.similarity is None


@pytest.mark.parametrize(("openvino", "tensorflow", "only"), [
    (OPENVINO, NO_TENSORFLOW, True), (OPENVINO, TENSORFLOW, False),
    (NO_OPENVINO, TENSORFLOW, False)])
def test_openvino_alone_runs_what_was_converted_before(found, openvino, tensorflow, only):
    assert found(openvino, tensorflow).only_converted is only


def test_engines_that_disagree(found):
    one = found(tensorflow=replace(TENSORFLOW, vector=(2.0, 1.0)))
    assert one.similarity == pytest.approx(0.8)
    assert not one.agree
    assert not one.can_run


def test_without_weights_nothing_can_run(found):
    one = found(weights=[])
    assert one.backbone_of_auto == ""
    assert not one.can_run


@pytest.mark.parametrize(("package", "lacking"), [
    (Package("h5py", ">=3", ""), True),
    (Package("h5py", ">=3", "2.0"), False),
    (Package("tensorflow", ">=2", ""), False),
    (Package("openvino", ">=2", ""), False),
    (Package("tf2onnx", ">=1", "", "onnx"), False),
    (Package("h5py", ">=3", "3.10", problem="ImportError: no libhdf5"), True),
])
def test_a_lacking_package(found, package, lacking):
    one = found(packages=[package])
    assert one.lacking == ([package] if lacking else [])
    assert one.can_run is not lacking


@pytest.mark.parametrize(("maker", "tensorflow", "unused"), [
    ("nvidia", TENSORFLOW, True),
    ("nvidia", replace(TENSORFLOW, device="NVIDIA L4"), False),
    ("nvidia", NO_TENSORFLOW, False),
    ("", TENSORFLOW, False),
])
def test_a_gpu_that_is_not_used(found, maker, tensorflow, unused):
    one = found(tensorflow=tensorflow)
    one = replace(one, computer=replace(one.computer, graphics=Graphics(maker)))
    assert one.gpu_unused is unused


@pytest.mark.parametrize("quick", [True, False])
def test_needed_packages_are_imported_and_engines_and_extras_are_not(monkeypatch, quick):
    asked = [Package("h5py", ">=3", "3.10"), Package("tensorflow", "", "2.21"),
             Package("pandas", "", ""), Package("bokeh", "", "3.7", "notebooks")]
    imported = []
    monkeypatch.setattr(diagnosis, "list_packages", lambda: asked)
    monkeypatch.setattr(diagnosis, "try_apart", EngineTrial)
    monkeypatch.setattr(diagnosis, "import_problems",
                        lambda names: imported.extend(names) or {"h5py": "broken"})
    one = diagnose(quick=quick)
    assert imported == ["h5py"]
    assert one.packages == [replace(asked[0], problem="broken"), *asked[1:]]
    assert not one.packages[0].fits
    assert not one.can_run


def test_quick_tries_nothing(monkeypatch, without):
    monkeypatch.setattr(diagnosis, "try_apart", None)
    one = diagnose(quick=True)
    assert not one.tried
    assert one.usable_engines == ["openvino", "tensorflow"]
    assert one.engines[1].version.startswith("2.")
    assert one.similarity is None
    assert one.can_run
    without("openvino", "tensorflow")
    assert diagnose(quick=True).usable_engines == []


def test_an_engine_under_another_name_is_installed(monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(engine_entry, "version", version)
    assert apart.installed("tensorflow") == EngineTrial("tensorflow")


def test_steps_are_told(monkeypatch):
    monkeypatch.setattr(diagnosis, "try_apart", EngineTrial)
    steps = []
    diagnose(step=lambda *step: steps.append(step))
    assert steps == [(0, 3, "importing packages"), (1, 3, "trying openvino"),
                     (2, 3, "trying tensorflow")]


def test_the_dict_has_what_follows_and_no_vectors(found):
    values = found().to_dict()
    assert values["can_run"] is True
    assert values["engine_of_auto"] == "openvino"
    assert values["engines"][0]["works"] is True
    assert "vector" not in values["engines"][0]
    assert values["packages"][0]["fits"] is True
