"""What the plugin has to say of a trained model: what comes back, what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from vaehub import Data, Judge, Model, TrainedModel, evaluation, report
from vaehub_molecules.codec import molecule_codec_of
from vaehub_molecules.domains.molecule_domain import MoleculeDomain

if TYPE_CHECKING:
    pass
    pass

JUDGED = 500  # molecules that `validate` reconstructs, and as many that it draws


@final
class MoleculeJudge(Judge):
    """Judges models of molecules: what comes back, what is drawn, and whether it is built like the training molecules.

    >>> judge = MoleculeJudge(space.domain, space.codec)
    >>> figures = judge.validate(space.run.vae, space.run.data("val"))
    >>> sorted(figures), all(0 <= share <= 1 for share in figures.values())
    (['exact', 'valid'], True)
    """

    headline: ClassVar[Mapping[str, str]] = {
        "exact_reconstruction": "share of unseen molecules that come back exactly",
        "validity": "share of drawn strings that are molecules",
        "novelty": "share of different valid samples that were not trained on",
        "FCD": "Fréchet ChemNet distance of samples to unseen molecules; lower is better, 0 to 1 is near",
        "Filters": "share of samples that pass the filters of medicinal chemistry",
    }

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """Share of validation molecules that come back exactly, and of valid ones among drawn (`val_exact`, `val_valid`)."""
        from vaehub_molecules.use.evaluation import exact_share, valid_share

        return {
            "exact": exact_share(vae, data, JUDGED),
            "valid": valid_share(vae, data, molecule_codec_of(self.codec).vocabulary, JUDGED),
        }

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """What comes back of unseen molecules, and what drawn ones are like; novelty where the training molecules are at hand."""
        from vaehub_molecules.use.evaluation import SAMPLES, molecule_metrics

        train = self.domain.train["smiles"].tolist() if isinstance(self.domain, MoleculeDomain) else []
        return molecule_metrics(run, run.data(split), train, SAMPLES, SAMPLES)

    def checks(self) -> Sequence[evaluation.Check]:
        """Whether molecules come back, and whether drawn ones are built like those trained on."""
        from vaehub_molecules.checks import CHECKS

        return CHECKS

    def sections(self, run: TrainedModel) -> Sequence[report.Section]:
        """Drawn molecules: new ones, what comes back, what lies near; their properties, and where they lie."""
        from vaehub_molecules.report.sections import run_sections

        return run_sections(run)
