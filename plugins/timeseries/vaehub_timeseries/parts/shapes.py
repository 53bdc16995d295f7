"""What the parts ask of the shapes of data and code."""

from __future__ import annotations

from vaehub import Spec, UsageError


def window_shape(part: str, spec: Spec) -> tuple[int, int]:
    """(T, C) of the data. Raises UsageError where rows are not windows of real values."""
    if len(spec.shape) != 2 or spec.classes:
        kind = f"{spec.classes} classes" if spec.classes else "real values"
        raise UsageError(f"{part}: reads windows (steps, channels) of real values, these data are {spec.shape} of {kind}")
    steps, channels = spec.shape
    return steps, channels


def latent_steps(part: str, latent: int, channels: int) -> int:
    """Steps of the latent series in a code of so many channels. Raises UsageError where they do not divide it."""
    if latent % channels:
        raise UsageError(
            f"{part}: latent = {latent} is not a multiple of channels = {channels}; set latent to channels x steps of a window"
        )
    return latent // channels
