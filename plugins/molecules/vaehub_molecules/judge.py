"""What the plugin has to say of a trained model: what comes back, what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, final

from vaehub import Data, Judge, Model, TrainedModel, evaluation, report
from vaehub_molecules.codec import molecule_codec_of
from vaehub_molecules.domains.molecule_domain import MoleculeDomain

JUDGED = 500  # molecules that `validate` reconstructs, and as many that it draws


@final
class MoleculeJudge(Judge):
    """Judges models of molecules: what comes back, what is drawn, and whether it is built like the training molecules.

    >>> judge = MoleculeJudge(space.domain, space.codec)
    >>> figures = judge.validate(space.run.vae, space.run.data("val"))
    >>> sorted(figures), all(figure <= 1 for figure in figures.values())
    (['exact', 'known_rings', 'neg_w1', 'valid'], True)
    """

    headline: ClassVar[Mapping[str, str]] = {
        "exact_reconstruction": "share of unseen molecules that come back exactly",
        "validity": "share of drawn strings that are molecules",
        "known_rings": "share of valid samples whose ring systems all occur in training molecules: no grammar gives that",
        "novelty": "share of different valid samples that were not trained on",
        "FCD": "Fréchet ChemNet distance of samples to unseen molecules; lower is better, 0 to 1 is near",
        "Filters": "share of samples that pass the filters of medicinal chemistry",
    }

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """Share of validation molecules that come back exactly, and what drawn ones are like: all are better when higher.

        Of drawn strings the share that are molecules, of these the share of which all ring systems are known from training, and minus the
        mean Wasserstein distance of their weight, logP, QED and SA to training molecules (`val_exact`, `val_valid`, `val_known_rings`,
        `val_neg_w1`): a grammar makes `val_valid` high by itself, the last two it cannot.
        """
        from vaehub_molecules.use.evaluation import exact_share, valid_samples

        codec = molecule_codec_of(self.codec)
        drawn = valid_samples(vae, data, codec.vocabulary, JUDGED)
        figures = {"exact": exact_share(vae, data, JUDGED), "valid": len(drawn) / JUDGED}
        if codec.profile is None:
            return figures
        likeness = codec.profile.likeness(drawn)
        return figures | {"known_rings": likeness.known_rings, "neg_w1": -likeness.mean_distance}

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
