"""Train the network itself."""

from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.tuning import Split, Tuned, TunePlan, Watch, fine_tune, forget

__all__ = ["Split", "TuneOptions", "TunePlan", "Tuned", "Watch", "fine_tune", "forget"]
