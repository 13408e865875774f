"""Train the network itself."""

from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.plan import Split, Tuned, TunePlan, Watch
from plankton_features.finetuning.tuning import fine_tune, forget

__all__ = ["Split", "TuneOptions", "TunePlan", "Tuned", "Watch", "fine_tune", "forget"]
