import os
import socket
import stat

import pytest


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """What is no file: kind -> path, made in a folder of the test."""
    made = []

    def make(kind):
        path = tmp_path / kind
        if kind == "device":
            try:
                os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
            except OSError as error:
                pytest.skip(f"device nodes cannot be made here: {error}")
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            bound = socket.socket(socket.AF_UNIX)
            made.append(bound)
            monkeypatch.chdir(tmp_path)  # names of sockets are short
            bound.bind(kind)
            monkeypatch.undo()
        elif kind == "folder":
            path.mkdir()
        return path

    yield make
    for bound in made:
        bound.close()
