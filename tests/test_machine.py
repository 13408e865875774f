"""What this process may use of the machine."""

from plankton_features import machine


def test_available_memory(monkeypatch, tmp_path):
    known = machine.available_memory()
    assert known is None or 10 ** 8 < known < 10 ** 15
    info = tmp_path / "meminfo"
    info.write_text("MemTotal:  24000 kB\nMemFree:  100 kB\nMemAvailable:   20000 kB\n")
    monkeypatch.setattr(machine, "Path", lambda name: info)
    assert machine.available_memory() == 20_480_000
    info.unlink()
    pages = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(machine.os, "sysconf", pages.__getitem__, raising=False)
    assert machine.available_memory() == 4_096_000
    monkeypatch.delattr(machine.os, "sysconf")
    assert machine.available_memory() is None


def test_total_memory_is_not_below_what_is_available():
    total, available = machine.total_memory(), machine.available_memory()
    assert total is None or available is None or total >= available
