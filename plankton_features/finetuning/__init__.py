"""Train the network itself."""

from plankton_features.finetuning.augmentation import augment
from plankton_features.finetuning.blocks import trained_layers
from plankton_features.finetuning.describing import describe_tuned
from plankton_features.finetuning.exporting import export_tuned
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.plan import Split, Tuned, TunePlan, Watch
from plankton_features.finetuning.tuning import fine_tune, forget

__all__ = [
    "Split",
    "TuneOptions",
    "TunePlan",
    "Tuned",
    "Watch",
    "augment",
    "describe_tuned",
    "export_tuned",
    "fine_tune",
    "forget",
    "trained_layers",
]
