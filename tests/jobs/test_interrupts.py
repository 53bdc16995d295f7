"""Ctrl-C reaches Python, whatever a library does to the handler below it: in a process whose other threads are its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_in_a_process_without_other_threads():
    file = Path(__file__).with_name("interrupts_alone.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout
