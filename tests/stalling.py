"""The toy domain that stops and waits at the place that STALL names, `NUMBER` calls on, after leaving a file `stalled` there."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import time
from pathlib import Path

from vaehub import hookimpl
from vaehub.evaluation.judge import Judge

spec = importlib.util.spec_from_file_location("toy_of_stalling", Path(__file__).with_name("toy.py"))
toy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(toy)
calls: dict[str, int] = {}


def stall(place: str) -> None:
    """Wait to be killed, if this is the place."""
    calls[place] = calls.get(place, 0) + 1
    if os.environ.get("DEAFEN"):  # as RDKit does: a handler that Python does not know of
        ctypes.CDLL(None).signal(signal.SIGINT, ctypes.c_void_p(1))
    if os.environ.get("STALL") == place and calls[place] == int(os.environ.get("NUMBER", 1)):
        Path("stalled").touch()
        time.sleep(float(os.environ.get("SECONDS", 60)))


class StallingCodec(toy.ToyCodec):
    """Writes half, waits, and writes the rest."""

    def write(self, x, path):
        super().write(x[:1], path)
        stall("write")
        super().write(x, path)


class Stalling(toy.Toy):
    """Digits that wait."""

    codec_type = StallingCodec

    def learn(self):
        return StallingCodec(super().learn().spec, self.rows)

    def data(self, split):
        stall("data")
        return super().data(split)


class StallingJudge(Judge):
    """Figures that wait."""

    def validate(self, vae, data):
        stall("validate")
        return {}

    def metrics(self, run, split):
        stall("metrics")
        return {}

    def sections(self, run):
        stall("sections")
        return ()


@hookimpl
def vaehub_components():
    return {"domain/stalling": ":Stalling", "judge/stalling": ":StallingJudge"}
