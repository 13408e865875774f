"""``plankton-features fine-tune imgs/ model.keras``."""

from __future__ import annotations

import argparse
from pathlib import Path

from plankton_features.cli.options import (
    add_depth_option,
    add_source_options,
    names,
    whole_number,
)
from plankton_features.cli.resuming import set_defaults_apart
from plankton_features.cli.validation_options import (
    add_calibration_options,
    add_group_options,
    percent,
)
from plankton_features.embedding.recipe import POOLINGS, VIEWS
from plankton_features.images.framing import FRAMINGS, INTERPOLATIONS

INTERRUPTED = ("interrupted. What is trained so far is kept: run the same command again, without "
               "--overwrite, to continue.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("images", type=Path, nargs="?", metavar="IMAGES",
                        help="a folder with one folder for each taxon, or a CSV table with columns "
                             "path, label, group, id")
    parser.add_argument("output", type=Path, nargs="?", metavar="MODEL.keras",
                        help="network to write; the report and results come beside it")
    parser.add_argument("--resume", action="store_true",
                        help="go on where a run was broken off even with --overwrite; without it, "
                             "the same command goes on by itself")
    parser.add_argument("--overwrite", action="store_true",
                        help="replace results, and begin anew")
    parser.add_argument("--export", type=names, default=(), metavar="FORMAT[,FORMAT...]",
                        help="also write the network as json (with weights), onnx or openvino")
    parser.add_argument("--list-layers", action="store_true",
                        help="print the layers of --backbone and what --unfreeze would train")
    parser.add_argument("--max-failures", type=whole_number, metavar="N",
                        help="exit with 3 if more images than this fail (default: any number)")
    parser.add_argument("--quiet", action="store_true", help="print only errors and the result")
    parser.add_argument("--readers", type=_positive, default=2, metavar="N",
                        help="threads that read and frame (default: 2)")
    add_source_options(parser)
    _add_network_options(parser)
    _add_training_options(parser)
    _add_balance_options(parser)
    _add_validation_options(parser)
    set_defaults_apart(parser)
    parser.set_defaults(parser=parser)


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("network")
    group.add_argument("--backbone", metavar="NAME|MODEL.keras",
                       help="network to begin with (default: inception_v3 if its weights can be "
                            "had, else efficientnet_lite0)")
    group.add_argument("--weights", metavar="imagenet|random[:SEED]|FILE",
                       help="its weights before training (default: imagenet)")
    group.add_argument("--from", dest="begin", type=Path, metavar="HEAD",
                       help="begin with the classifier of this head, from fit-head, and its recipe")
    group.add_argument("--unfreeze", default="2", metavar="BLOCKS|LAYER|index:N|all|none",
                       help="blocks from the top, or first layer, to train (default: 2 blocks)")
    group.add_argument("--hidden", type=_positive, metavar="UNITS",
                       help="a layer between pooling and classes, such as 1024 (default: none)")
    group.add_argument("--dropout", type=float, default=0.2, metavar="SHARE",
                       help="of values before the last layer (default: 0.2)")
    group.add_argument("--layer", dest="layers", type=names, metavar="NAME[,NAME...]",
                       help="layers to pool (default: the last)")
    group.add_argument("--pooling", type=names, metavar="|".join(POOLINGS) + "[,...]",
                       help="how to pool (default: avg)")
    group.add_argument("--views", choices=VIEWS,
                       help="quarter turns to pool over when the trained network is used "
                            "(default: none)")
    group.add_argument("--canvas", type=_positive, metavar="PX", help="side of the canvas")
    group.add_argument("--framing", choices=FRAMINGS, help="see extract-features")
    group.add_argument("--background", metavar="border|white|black|0-255",
                       help="see extract-features")
    group.add_argument("--crop-bottom", type=whole_number, metavar="PX",
                       help="rows to cut off at the bottom, for burned-in scale bars")
    group.add_argument("--interpolation", choices=INTERPOLATIONS, help="see extract-features")
    add_depth_option(group)


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training")
    group.add_argument("--head-epochs", type=whole_number, metavar="N",
                       help="of the classification layers alone, at most (default: 20; 0 with "
                            "--from)")
    group.add_argument("--epochs", type=whole_number, default=20, metavar="N",
                       help="of the unfrozen part, at most (default: 20)")
    group.add_argument("--minutes", type=float, metavar="M",
                       help="instead of --epochs: as many as fit in this time")
    group.add_argument("--batch", type=_positive, default=32, metavar="N",
                       help="images in each step (default: 32)")
    group.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd",
                       help="sgd has momentum 0.9 (default: sgd)")
    group.add_argument("--schedule", choices=("cosine", "step", "constant"), default="cosine",
                       help="of the learning rate (default: cosine, with warm-up)")
    group.add_argument("--base-lr", dest="base_rate", type=float, metavar="RATE",
                       help="highest learning rate (default: 0.002 for sgd, 0.0003 for adam)")
    group.add_argument("--decay", type=float, default=0.5, metavar="FACTOR",
                       help="of --schedule step (default: 0.5)")
    group.add_argument("--every", type=_positive, default=5, metavar="EPOCHS",
                       help="of --schedule step (default: 5)")
    group.add_argument("--metric", choices=("mcc", "macro_f1", "accuracy", "loss"), default="mcc",
                       help="of the validation part, that chooses the best epoch (default: mcc)")
    group.add_argument("--patience", type=_positive, default=5, metavar="EPOCHS",
                       help="epochs without a better one that end a phase (default: 5)")
    group.add_argument("--augment", choices=("none", "turns", "full"), default="full",
                       help="full: any rotation, mirror images, small changes of scale and "
                            "brightness; turns: quarter turns and mirror images (default: full)")
    group.add_argument("--cache-frozen", action="store_true",
                       help="compute the frozen layers once; with --augment none or turns")
    group.add_argument("--precision", choices=("float32", "bfloat16"), default="float32",
                       help="numbers of the backbone in training (default: float32)")
    group.add_argument("--deterministic", action="store_true",
                       help="only operations that repeat to the last bit; slower")


def _add_balance_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("balance of classes")
    group.add_argument("--sampler", default="none", metavar="NAME",
                       help="none, class-weight, class-balanced, square-root or logit-adjustment "
                            "(default: none)")
    group.add_argument("--floor", type=_positive, metavar="N",
                       help="images that each class has at least in an epoch, by repetition")
    group.add_argument("--cap", type=_positive, metavar="N",
                       help="images that each class has at most, drawn anew for each epoch")
    group.add_argument("--tau", type=float, default=1.0, metavar="T",
                       help="strength of logit-adjustment (default: 1)")
    group.add_argument("--taxonomy", type=Path, metavar="TAXONOMY.csv",
                       help="table with columns name, parent, rank: train and report lineages")


def _add_validation_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("validation")
    group.add_argument("--test-size", type=percent, default=0.2, metavar="PERCENT",
                       help="part that is scored at the end (default: 20)")
    group.add_argument("--validation-size", type=percent, default=0.1, metavar="PERCENT",
                       help="part that chooses the epoch and calibrates (default: 10)")
    group.add_argument("--seed", type=whole_number, default=0, metavar="N",
                       help="of the split and of training (default: 0)")
    add_calibration_options(group)
    add_group_options(group)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.cli import fine_tune_text as text
    from plankton_features.cli import fine_tune_work as work
    from plankton_features.cli.fine_tune_files import may_replace, output_files
    from plankton_features.files.together import Together

    args = work.settle(args)
    if args.list_layers:
        return text.show_layers(args)
    if args.images is None or args.output is None:
        args.parser.error("expected IMAGES and MODEL.keras")
    files = output_files(args)
    placed = [path for kind, path in files.items() if kind != "log"]  # grows while it trains
    with Together(placed, may_replace(args)) as together:
        plan = work.plan_of(args)
        tuned, seconds = work.train(args, plan)
        results, pictures, exported = work.write_files(args, plan, tuned, seconds, files, together)
    text.show_results(results, files, pictures, exported, tuned)
    return work.exit_code(tuned, args.max_failures)


def _positive(text: str) -> int:
    return whole_number(text, least=1)
