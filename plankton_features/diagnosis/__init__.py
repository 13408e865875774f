"""What this machine can do: versions, processors, engines, weights."""

from plankton_features.diagnosis.cache import Cache
from plankton_features.diagnosis.computer import Computer, Graphics
from plankton_features.diagnosis.diagnosis import Diagnosis, diagnose
from plankton_features.diagnosis.packages import Package
from plankton_features.diagnosis.trial import EngineTrial, PrecisionTrial
from plankton_features.diagnosis.weights_here import WeightsHere

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
