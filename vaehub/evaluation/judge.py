"""What a domain has to say of its models: figures while training, metrics, sections of the report, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vaehub.base import Codec, Data, Domain, Model
from vaehub.host.registry import registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub.evaluation.doctor.checkup import Check
    from vaehub.trained import TrainedModel


class Judge:
    """What a domain thinks of its models; a plugin registers a subclass as "judge/NAME" beside its "domain/NAME".

    Arguments:
        domain: with the options of the run; it reads its data when they are first asked for.
        codec: what the model knows of its data.
    """

    def __init__(self, domain: Domain[Codec], codec: Codec) -> None:
        self.domain, self.codec = domain, codec

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """Extra figures after every epoch on validation data, higher is better, for `train.monitor`."""
        return {}

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Figures of the domain for `vaehub evaluate`."""
        return {}

    def figures(self, run: TrainedModel) -> Mapping[str, Figure]:
        """Figures of the domain for the report, by title, in the order to show them."""
        return {}

    def checks(self) -> Sequence[Check]:
        """Checks of the domain for the doctor, beside those of the optimisation."""
        return ()


def judge_of(name: str, domain: Domain[Codec], codec: Codec) -> Judge:
    """The judge that a plugin registers for the domain `name`, or one that has nothing to add."""
    if name not in registry().names("judge"):
        return Judge(domain, codec)
    judge: Judge = registry().load("judge", name)(domain, codec)
    return judge


def judge_of_run(run: TrainedModel) -> Judge:
    """The judge of a run."""
    return judge_of(run.config.domain.name, run.domain, run.codec)
