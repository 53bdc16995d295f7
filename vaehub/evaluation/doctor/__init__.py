"""The doctor: what is wrong with a trained model, with the numbers that show it and the option to change."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import getdoc

from vaehub.evaluation.doctor.checkup import Check, Checkup, Finding
from vaehub.evaluation.doctor.curves import CURVES
from vaehub.evaluation.doctor.latent import LATENT
from vaehub.evaluation.doctor.loss import LOSS
from vaehub.evaluation.doctor.rows import ROWS
from vaehub.evaluation.judge import judge_of_run
from vaehub.trained import TrainedModel

__all__ = ["CHECKS", "Check", "Checkup", "Diagnosis", "Finding", "diagnose", "examine"]

SEVERITIES = ("error", "warning", "note")
CHECKS: tuple[Check, ...] = (*CURVES, *LOSS, *LATENT, *ROWS)


@dataclass(frozen=True)
class Diagnosis:
    """What was looked at in a run, and what was found, worst first."""

    findings: list[Finding]
    of_optimisation: tuple[Check, ...]
    of_domain: tuple[Check, ...]

    @property
    def verdict(self) -> str:
        """What the checks say together: no more than what was looked at."""
        fired = f"{len(self.findings)} of them fired" if self.findings else "none fired"
        domain = f" and {len(self.of_domain)} of the domain" if self.of_domain else ""
        return f"{len(self.of_optimisation)} checks of the optimisation{domain}: {fired}."

    @property
    def checks(self) -> list[str]:
        """What each check looks for, in a line."""
        return [(getdoc(check) or check.__name__).splitlines()[0] for check in (*self.of_optimisation, *self.of_domain)]


def examine(run: TrainedModel) -> Diagnosis:
    """Make all checks of a run: those of the optimisation, and those that its domain adds. Needs the training data."""
    checkup, own = Checkup(run), tuple(judge_of_run(run).checks())
    found = [finding for check in (*CHECKS, *own) if (finding := check(checkup)) is not None]
    return Diagnosis(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)), CHECKS, own)


def diagnose(run: TrainedModel) -> list[Finding]:
    """All that is wrong with a run, worst first; empty where no check fired. Needs the training data."""
    return examine(run).findings
