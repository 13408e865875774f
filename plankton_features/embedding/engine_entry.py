"""What an engine does once it is open, what is known of one before, and which there are."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from plankton_features.embedding.recipe_checks import as_plain, check_choice, check_whole
from plankton_features.embedding.registry import Registry

if TYPE_CHECKING:
    from plankton_features.embedding.backbone import Backbone
    from plankton_features.embedding.recipe import Recipe
    from plankton_features.embedding.weights import Weights


class Engine(Protocol):
    """What extraction needs of an engine.

    Attributes
    ----------
    name : str
        Of its entry, or ``numpy`` for a backbone that needs no engine.
    precision : str
        Numbers that it really computes with.
    device : str
        ``CPU`` or the name of the GPU.
    batch : int
        Images in each call.
    blocks : list of (str, int)
        Name and length of the parts of a vector; n_values is their sum.
    depth : int
        Calls that may be under way at once.
    """

    name: str
    precision: str
    device: str
    batch: int
    blocks: list[tuple[str, int]]
    depth: int

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """Start embedding (batch, canvas, canvas, 3) uint8; the callable waits for the result.

        The result is (batch, n_values) float32. `canvases` must not change before it is there.
        """
        ...


class EngineEntry(ABC):
    """What is known of an engine before it is opened; an engine is added by a subclass.

    Making one, and asking it anything but `load`, `sees_gpu` and `open`, imports nothing heavy.

    Attributes
    ----------
    name : str
        What `--engine` takes: letters, digits, ``_ . + -``.
    title : str
        How it is written for people, by default the name.
    package : str
        That it needs, as Python and pip know it; empty if it needs none.
    packages : tuple of str
        Whose versions a feature file tells, by default that one.
    purpose : str
        A sentence that says what for one would install it.
    kinds : tuple of str
        Kinds of networks that it runs, see `Backbone`.
    precisions : tuple of str
        Numbers that it may compute with; `open` refuses those that this machine lacks.
    devices : tuple of {"CPU", "GPU"}
        Kinds of devices that it may compute on.
    priority : int
        ``auto`` takes the engine with the highest; 0 is for engines to be asked for by name.
    gpu_priority : int
        The same where it sees a GPU.
    needs : tuple of str
        Engines without which it runs only networks that it has kept from before.
    settings : tuple of (str, str)
        Environment variables that, where they are set, must have this value.
    keeps_networks : bool
        Whether it keeps converted networks in the cache.
    """

    name: str = ""
    title: str = ""
    package: str = ""
    packages: tuple[str, ...] = ()
    purpose: str = ""
    kinds: tuple[str, ...] = ("keras",)
    precisions: tuple[str, ...] = ("float32",)
    devices: tuple[str, ...] = ("CPU",)
    priority: int = 0
    gpu_priority: int = 0
    needs: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    keeps_networks: bool = False

    def __init_subclass__(cls) -> None:
        cls.title = cls.title or cls.name
        cls.packages = cls.packages or ((cls.package,) if cls.package else ())

    def is_installed(self) -> bool:
        """Whether its package is there, without importing it."""
        return not self.package or importlib.util.find_spec(self.package) is not None

    def version(self) -> str:
        """Version of its package without importing it, empty where it is not known."""
        try:
            return version(self.package) if self.package else ""
        except PackageNotFoundError:  # it came under another name, such as tensorflow-cpu
            return ""

    def runs(self, backbone: Backbone) -> bool:
        """Whether it runs networks of this kind."""
        return backbone.kind in self.kinds

    def sees_gpu(self) -> bool:
        """Whether it would compute on a GPU; may import its package."""
        return False

    @abstractmethod
    def open(self, recipe: Recipe, weights: Weights | None, options: EngineOptions) -> Engine:
        """Make it ready; see `open_engine`, which has compared recipe and weights."""

    def load(self) -> Any:
        """Import its package, which may end the process; None if it has none."""
        return import_module(self.package) if self.package else None

    def list_devices(self, module: Any) -> tuple[str, ...]:
        """All devices that it sees, of what `load` gave."""
        return ()

    def precisions_to_try(self, device: str) -> tuple[str, ...]:
        """Precisions that are worth a trial on this device, besides float32."""
        return tuple(one for one in self.precisions if one != "float32")

    def is_native(self, module: Any, precision: str) -> bool | None:
        """Whether the processor has instructions for these numbers; None if nobody knows."""
        return None

    def advice(self, failure: str, problem: str) -> tuple[str, ...]:
        """What to do about a failed trial, and then what to type; empty for the usual advice.

        `failure` and `problem` are those of `diagnosis.EngineTrial`.
        """
        return ()

    def gpu_advice(self, maker: str) -> tuple[str, ...]:
        """What lets it use a GPU of this maker (nvidia, amd, apple), and then what to type."""
        return ()


ENGINES: Registry[EngineEntry] = Registry(
    "engine", EngineEntry,  # type: ignore[type-abstract]
    "plankton_features.engines", {
        "tensorflow": "plankton_features.embedding.tensorflow_engine:TENSORFLOW",
        "openvino": "plankton_features.embedding.openvino_engine:OPENVINO",
    })


@dataclass(frozen=True)
class EngineOptions:
    """How to run, as far as it does not change what is computed.

    Parameters
    ----------
    engine : str, default="auto"
        One of `engine_names`, or ``auto``: a GPU if TensorFlow sees one, else OpenVINO where it
        is installed, else TensorFlow.
    batch : int, optional
        Images in each call; by default 16 divided by the number of views, on a GPU 256.
    threads : int, optional
        Threads that compute; by default all cores.

    Raises
    ------
    InputError
        If a value is not one of those allowed.
    """

    engine: str = "auto"
    batch: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        check_choice("engine", self.engine, ("auto", *ENGINES.names()))
        for name in ("batch", "threads"):
            if getattr(self, name) is not None:
                check_whole(name, as_plain(getattr(self, name)), 1)
