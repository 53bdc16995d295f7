"""What all domains of molecules share."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field

from vaehub import Codec, Domain, Spec, UsageError
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.codec import MoleculeCodec
from vaehub_molecules.domains.conditions import Conditions
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.domains.kept_splits import FOLDER, SPLITS, read_split, write_splits
from vaehub_molecules.domains.profile import TrainingProfile
from vaehub_molecules.domains.property_values import Names, property_values, require_variation, warn_of_unknown_conditions
from vaehub_molecules.domains.scales import Scales
from vaehub_molecules.rows import MoleculeRows
from vaehub_molecules.tokens import TOKENIZERS, Vocabulary

TokenizerName: TypeAlias = Literal["kekule", "pairs", "atoms", "selfies"]
Count: TypeAlias = Annotated[int, Field(ge=1)] | None
Seed: TypeAlias = Annotated[int, Field(ge=0)]


class MoleculeDomain(Domain[MoleculeCodec]):
    """Molecules as strings of symbols.

    tokenizer: how SMILES are split. properties: what is predicted from z (objective predictive), names that RDKit computes or columns of
    the file. condition: properties that condition encoder and decoder (a CVAE). scaffold: condition them on the scaffold as well.
    """

    codec_type = MoleculeCodec
    run_folder: Path | None = None  # of a run that keeps its molecules, where one was loaded or goes on

    def __init__(self, tokenizer: TokenizerName, properties: Names, condition: Names, scaffold: bool, policy: Policy) -> None:
        self.tokenizer, self.names, self.condition_names = tokenizer, tuple(properties), tuple(condition)
        self.scaffold, self.policy = scaffold, policy

    @abstractmethod
    def read_frame(self, split: str) -> pd.DataFrame:
        """Molecules of "train", "val" or "test" from their file: a column `smiles`, canonical and unique, and what else is known of them."""

    @cached_property
    def _frames(self) -> dict[str, pd.DataFrame]:
        return {}

    @cached_property
    def _values(self) -> dict[str, pd.DataFrame]:
        return {}

    def frame(self, split: str) -> pd.DataFrame:
        """Molecules of a split as the run keeps them, else from their file, which is read once."""
        if split not in self._frames:
            self._frames[split] = self.read_frame(split) if self.run_folder is None else read_split(self.run_folder, split)
        return self._frames[split]

    @property
    def train(self) -> pd.DataFrame:
        """The training molecules."""
        frame = self.frame("train")
        if frame.empty:
            raise UsageError("domain: no molecule to train on; give a file with more, or a smaller share to validation and test")
        return frame

    @property
    def property_names(self) -> Names:
        """What is predicted, and what conditions."""
        return tuple(dict.fromkeys((*self.names, *self.condition_names)))

    def values(self, split: str, names: Names) -> np.ndarray:
        """Properties (N, P) of the molecules of a split, each computed once."""
        if split not in self._values:
            self._values[split] = property_values(self.frame(split), self.property_names)
        return self._values[split][list(names)].to_numpy(np.float64)

    def learn(self) -> MoleculeCodec:
        """The symbols and units of the training molecules, and how they are built."""
        smiles = self.train["smiles"].tolist()
        require_variation(self.values("train", self.property_names), self.property_names)
        warn_of_unknown_conditions(self.values("train", self.condition_names), self.condition_names)
        vocabulary = Vocabulary.learn(TOKENIZERS[self.tokenizer](), smiles)
        scales = Scales.of(self.names, self.values("train", self.names))
        conditions = Conditions(Scales.of(self.condition_names, self.values("train", self.condition_names)), self.scaffold)
        spec = Spec((vocabulary.length,), cond=conditions.width, classes=len(vocabulary), targets=len(self.names))
        trained_on, profile = HashedSet.of(smiles), TrainingProfile.of(smiles)
        return MoleculeCodec(spec, self.tokenizer, vocabulary, scales, conditions, trained_on, self.policy, profile)

    def data(self, split: str) -> MoleculeRows:
        """The molecules; of validation and test those are left out that the vocabulary cannot spell, or that the model was trained on."""
        frame, codec = self.train if split == "train" else self.frame(split), self.codec
        smiles = frame["smiles"].tolist()
        taken = np.ones(len(frame), dtype=bool)
        if split != "train":
            taken = ~codec.trained_on.holds(smiles) & [codec.vocabulary.why_unreadable(s) is None for s in smiles]
        y, condition_values = (self.values(split, names)[taken] for names in (self.names, self.condition_names))
        return codec.rows(frame["smiles"][taken].tolist(), y, condition_values)

    def record(self, folder: Path) -> None:
        """Keep the molecules of every split, with those of their properties that are known."""
        write_splits(folder, {split: self._kept(split) for split in SPLITS})

    def _kept(self, split: str) -> pd.DataFrame:
        frame = self.frame(split)
        measured = [name for name in self.property_names if name in frame]
        values = self._values[split] if split in self._values else property_values(frame, measured)
        return frame[["smiles"]].assign(**values)

    def restore(self, folder: Path) -> None:
        """Take the molecules that a run keeps, where it does: its file may have grown, moved or gone."""
        self.run_folder = folder if (folder / FOLDER).is_dir() else None


def molecule_domain_of(domain: Domain[Codec]) -> MoleculeDomain:
    """A domain of this plugin. Raises UsageError for another one, whose training molecules are not known."""
    if not isinstance(domain, MoleculeDomain):
        raise UsageError("this run was not trained on a set of molecules of this plugin; its training molecules are not at hand")
    return domain
