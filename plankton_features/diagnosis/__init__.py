"""What this machine can do: versions, processors, engines, weights."""

from plankton_features.diagnosis.computer import Computer, Graphics
from plankton_features.diagnosis.diagnosis import Diagnosis, diagnose
from plankton_features.diagnosis.kept_files import Cache, WeightsHere
from plankton_features.diagnosis.packages import Package
from plankton_features.diagnosis.trial import EngineTrial, PrecisionTrial

__all__ = [
    "Cache",
    "Computer",
    "Diagnosis",
    "EngineTrial",
    "Graphics",
    "Package",
    "PrecisionTrial",
    "WeightsHere",
    "diagnose",
]
