"""Download weights, whole or not at all."""

from __future__ import annotations

import hashlib
import socket
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError

from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.backbones import OFFLINE_BACKBONE
from plankton_features.errors import WeightsError
from plankton_features.files.temporary import temporary_file

STALL_SECONDS = 5.0  # longest silence of the server
_BLOCK = 1 << 20

DownloadProgress = Callable[[int, int], None]


def download(backbone: Backbone, target: Path, *, seconds: float | None = None,
             progress: DownloadProgress | None = None) -> None:
    """Download a backbone's ImageNet weights from where Keras does.

    Parameters
    ----------
    backbone : Backbone
    target : Path
        Appears when the file is complete and has the digest that Keras publishes.
    seconds : float, optional
        Longest time to spend, in seconds; by default there is no limit but `STALL_SECONDS`.
    progress : callable of (bytes done, bytes in all), optional
        Bytes in all are 0 if the server does not say.

    Raises
    ------
    WeightsError
        If it cannot be had; the message names the file, its place and the offline choices.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(target) as (part, file):
            _fetch(backbone.weights_url, file, seconds, progress)
            file.close()
            if problem := digest_problem(backbone, part):
                raise OSError(f"what came is another file: {problem}")
            part.replace(target)
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()  # it holds the connection
        raise WeightsError(_how_to_get(backbone, target, error)) from error


def file_digest(file: Path, algorithm: str) -> str:
    """Hexadecimal digest of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def digest_problem(backbone: Backbone, file: Path) -> str:
    """How a file differs from the published weights; empty if it does not, or none is known."""
    expected = backbone.weights_digest
    if not expected:
        return ""
    algorithm = {32: "md5", 64: "sha256"}[len(expected)]
    got = file_digest(file, algorithm)
    return "" if got == expected else f"{algorithm} {expected}, got {got}"


def _fetch(url: str, file: IO[bytes], seconds: float | None,
           progress: DownloadProgress | None) -> None:
    deadline = time.monotonic() + (seconds if seconds is not None else float("inf"))
    with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        # read1 returns what is there: a server that trickles must not outlive the deadline.
        while block := answer.read1(_BLOCK):
            file.write(block)
            if progress:
                progress(file.tell(), total)
            if time.monotonic() > deadline:
                raise TimeoutError(f"not finished after {seconds:.0f} s ({file.tell()} bytes)")
        if total and file.tell() != total:
            raise OSError(f"the connection ended after {file.tell()} of {total} bytes")


def _how_to_get(backbone: Backbone, target: Path, error: Exception) -> str:
    # The reason of an HTTPError lacks its code.
    reason = error if isinstance(error, HTTPError) else getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):  # its text begins with a bare number
        reason = f"no network: {reason.strerror}"
    return (
        f"{backbone.name}: its ImageNet weights are not on this machine and cannot be "
        f"downloaded ({reason or type(error).__name__}).\n"
        f"  On a machine with network, fetch {backbone.weights_url}\n"
        f"  and put it at {target}\n"
        f"  or pass your own file:          --weights FILE\n"
        f"  or use weights that come along: --backbone {OFFLINE_BACKBONE}\n"
        f"  or a network trained on nothing: --weights random"
    )
