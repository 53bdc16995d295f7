"""The doctor: what is wrong with a trained model, with the numbers that show it and the option to change."""

from __future__ import annotations

from inspect import getdoc

from vaehub.evaluation.doctor.checkup import Check, Checkup, Finding
from vaehub.evaluation.doctor.curves import CURVES
from vaehub.evaluation.doctor.latent import LATENT
from vaehub.evaluation.doctor.loss import LOSS
from vaehub.evaluation.doctor.rows import ROWS
from vaehub.trained import TrainedModel

__all__ = ["CHECKS", "Check", "Checkup", "Finding", "diagnose", "listed_checks", "verdict"]

SEVERITIES = ("error", "warning", "note")
CHECKS: tuple[Check, ...] = (*CURVES, *LOSS, *LATENT, *ROWS)


def diagnose(run: TrainedModel) -> list[Finding]:
    """All that is wrong with a run, worst first; empty for a healthy one. Needs the training data."""
    checkup = Checkup(run)
    found = [finding for check in CHECKS if (finding := check(checkup)) is not None]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def verdict(found: list[Finding]) -> str:
    """What the checks say together: no more than what was looked at."""
    fired = f"{len(found)} of them fired" if found else "none fired"
    return f"{len(CHECKS)} checks of the optimisation: {fired}."


def listed_checks() -> list[str]:
    """What each check looks for, in a line."""
    return [(getdoc(check) or check.__name__).splitlines()[0] for check in CHECKS]
