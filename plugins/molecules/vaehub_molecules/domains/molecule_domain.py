"""What all domains of molecules share."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field

from vaehub import Codec, Domain, Spec, UsageError
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.codec import MoleculeCodec
from vaehub_molecules.domains.conditions import Conditions
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.domains.profile import TrainingProfile
from vaehub_molecules.domains.property_values import Names, property_values
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

    def __init__(self, tokenizer: TokenizerName, properties: Names, condition: Names, scaffold: bool, policy: Policy) -> None:
        self.tokenizer, self.names, self.condition_names = tokenizer, tuple(properties), tuple(condition)
        self.scaffold, self.policy = scaffold, policy

    @abstractmethod
    def frame(self, split: str) -> pd.DataFrame:
        """Molecules of "train", "val" or "test": a column `smiles`, canonical and unique, and what else is known of them."""

    @cached_property
    def train(self) -> pd.DataFrame:
        """The training molecules."""
        frame = self.frame("train")
        if frame.empty:
            raise UsageError("domain: no molecule to train on; give a file with more, or a smaller share to validation and test")
        return frame

    @cached_property
    def _values(self) -> dict[str, pd.DataFrame]:
        return {}

    def values(self, split: str, names: Names) -> np.ndarray:
        """Properties (N, P) of the molecules of a split, each computed once."""
        if split not in self._values:
            frame = self.train if split == "train" else self.frame(split)
            self._values[split] = property_values(frame, tuple(dict.fromkeys((*self.names, *self.condition_names))))
        return self._values[split][list(names)].to_numpy(np.float64)

    def learn(self) -> MoleculeCodec:
        """The symbols and units of the training molecules, and how they are built."""
        smiles = self.train["smiles"].tolist()
        vocabulary = Vocabulary.learn(TOKENIZERS[self.tokenizer](), smiles)
        scales = Scales.of(self.names, self.values("train", self.names))
        conditions = Conditions(Scales.of(self.condition_names, self.values("train", self.condition_names)), self.scaffold)
        spec = Spec((vocabulary.length,), cond=conditions.width, classes=len(vocabulary), targets=len(self.names))
        trained_on, profile = HashedSet.of(smiles), TrainingProfile.of(smiles)
        return MoleculeCodec(spec, self.tokenizer, vocabulary, scales, conditions, trained_on, self.policy, profile)

    def data(self, split: str) -> MoleculeRows:
        """Molecules that the vocabulary can spell; of validation and test those that it cannot are left out."""
        frame, codec = self.train if split == "train" else self.frame(split), self.codec
        readable = np.array([split == "train" or codec.vocabulary.why_unreadable(s) is None for s in frame["smiles"]], dtype=bool)
        y, condition_values = (self.values(split, names)[readable] for names in (self.names, self.condition_names))
        return codec.rows(frame["smiles"][readable].tolist(), y, condition_values)


def molecule_domain_of(domain: Domain[Codec]) -> MoleculeDomain:
    """A domain of this plugin. Raises UsageError for another one, whose training molecules are not known."""
    if not isinstance(domain, MoleculeDomain):
        raise UsageError("this run was not trained on a set of molecules of this plugin; its training molecules are not at hand")
    return domain
