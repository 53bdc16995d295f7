"""What a domain has to say of its models: figures while training, metrics, sections of the report, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from vaehub.base import Codec, Data, Domain, Model
from vaehub.host.registry import registry

if TYPE_CHECKING:
    from vaehub.evaluation.doctor.checkup import Check
    from vaehub.report.parts import Section
    from vaehub.trained import TrainedModel


class Judge:
    """What a domain thinks of its models; a plugin registers a subclass as "judge/NAME" beside its "domain/NAME".

    Arguments:
        domain: with the options of the run; it reads its data when they are first asked for.
        codec: what the model knows of its data.

    >>> class Digits(Judge):
    ...     headline = {"accuracy": "Share of the rows that are drawn in the right class."}
    ...
    ...     def metrics(self, run, split):
    ...         return {"accuracy": 0.9, "accuracy_chance": 0.1}
    >>> list(Digits.headline)
    ['accuracy']
    """

    headline: ClassVar[Mapping[str, str]] = {}  # the figures of `metrics` to read first in a report, each with what it says

    def __init__(self, domain: Domain[Codec], codec: Codec) -> None:
        self.domain, self.codec = domain, codec

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """Extra figures after every epoch on validation data, higher is better, for `train.monitor`.

        Arguments:
            vae: the model as it stands.
            data: the validation rows.
        """
        return {}

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Figures of the domain for `vaehub evaluate`, by name.

        NAME_se is the standard error of NAME, NAME_chance what guessing gives.

        Arguments:
            run: the trained model.
            split: "train", "val" or "test".
        """
        return {}

    def sections(self, run: TrainedModel) -> Sequence[Section]:
        """Sections of the domain for the run's page, in the order to show them; see `vaehub.report`.

        Arguments:
            run: the trained model.
        """
        return ()

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
    """The judge of a run: that of its domain, or one that has nothing to add.

    Arguments:
        run: the trained model.

    >>> from vaehub import train
    >>> run = train({"likelihood": "normal", "train": {"epochs": 1}}, data=[[float(i)] for i in range(20)], progress=False)
    >>> type(judge_of_run(run)).__name__
    'ArraysJudge'
    """
    return judge_of(run.config.domain.name, run.domain, run.codec)
