"""What a saved model knows of its molecules: the vocabulary, units, which molecules are accepted and which were trained on."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaehub import Codec, Json, Spec, UsageError, files, hints
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.canonical_many import StandardisedOrRejected, standardise_all
from vaehub_molecules.chem.changes import Standardised, warn_of_changes
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.domains.conditions import Conditions
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.domains.profile import TrainingProfile
from vaehub_molecules.domains.property_values import property_values
from vaehub_molecules.domains.scales import Scales
from vaehub_molecules.rows import MoleculeRows
from vaehub_molecules.tokens import TOKENIZERS, Vocabulary


@final
class MoleculeCodec(Codec):
    """Molecules as strings of symbols, from and to files.

    Arguments:
        spec: (T,) symbols out of V, the width of the condition, and how many properties are predicted.
        tokenizer: name of how SMILES are split.
        vocabulary: the symbols of the training molecules.
        scales: units of what is predicted.
        conditions: what conditions the model.
        trained_on: which molecules are not new.
        policy: which molecules are accepted.
        profile: how the training molecules are built; None in a model that was saved before profiles were.

    >>> codec = space.codec
    >>> codec.vocabulary.strings(codec.convert(["OCC", "NCC"]).x)
    ['CCO', 'CCN']
    """

    suffix = ".smi"

    def __init__(
        self,
        spec: Spec,
        tokenizer: str,
        vocabulary: Vocabulary,
        scales: Scales,
        conditions: Conditions,
        trained_on: HashedSet,
        policy: Policy,
        profile: TrainingProfile | None = None,
    ) -> None:
        super().__init__(spec)
        self.tokenizer, self.vocabulary, self.scales = tokenizer, vocabulary, scales
        self.conditions, self.trained_on, self.policy, self.profile = conditions, trained_on, policy, profile

    def rows(self, smiles: Sequence[str], y: np.ndarray | None, given: np.ndarray) -> MoleculeRows:
        """Molecules with their conditions, and what is predicted of them where it is known, as rows of the model."""
        targets = self.scales.scaled(torch.tensor(y, dtype=torch.float32)) if self.scales.names and y is not None else None
        return MoleculeRows(
            self.vocabulary.rows(smiles), self.vocabulary.symbols, smiles, self.conditions.of(given, smiles), targets
        )

    def encodable(self, smiles: Sequence[str]) -> MoleculeRows:
        """Canonical molecules as rows without what is predicted of them, conditioned on what RDKit computes."""
        given = property_values(pd.DataFrame({"smiles": list(smiles)}), self.conditions.scales.names).to_numpy(np.float64)
        return self.rows(smiles, None, given)

    def read(self, path: Path) -> MoleculeRows:
        """Molecules of a file. Raises UsageError that names a molecule with a symbol that the model does not know."""
        from vaehub_molecules.files import read_molecules

        found = read_molecules(path, self.policy, numbers=(*self.scales.names, *self.conditions.scales.names))
        for line in found.rejected[:1]:
            raise UsageError(
                f"{path}: line {line.number}: {line.reason} ({len(found.rejected)} such); see `vaehub molecules clean`"
            )
        found.warn_of_changes()
        return self.rows_of(found.frame)

    def convert(self, given: object) -> Tensor | MoleculeRows:
        """Molecules as a SMILES string, a list of them, or a frame with `smiles` and what else is known; each stays a row.

        An array of integers (N, T) holds symbols already. Raises UsageError that names the first molecule that is rejected.
        """
        if isinstance(given, Tensor) or (isinstance(given, np.ndarray) and given.dtype.kind in "iu"):
            return torch.as_tensor(given)
        frame = given if isinstance(given, pd.DataFrame) else smiles_frame(given)
        if "smiles" not in frame:
            raise UsageError(f"x: a frame with columns {', '.join(map(str, frame.columns))}; name that of the molecules `smiles`")
        texts = [str(text) for text in frame["smiles"]]
        return self.rows_of(frame.assign(smiles=require_accepted(texts, standardise_all(texts, self.policy))))

    def rows_of(self, frame: pd.DataFrame) -> MoleculeRows:
        """Canonical molecules, and what else a table says of them, as rows of the model."""
        predicted, given = (
            property_values(frame, names).to_numpy(np.float64) for names in (self.scales.names, self.conditions.scales.names)
        )
        return self.rows(frame["smiles"].tolist(), predicted, given)

    def write(self, x: Tensor, path: Path) -> None:
        """Molecules to .smi, .csv, .parquet, .sdf or a picture (.png, .svg)."""
        from vaehub_molecules.files.writing import write_molecules

        write_molecules(self.vocabulary.strings(x), path)

    def preview(self, x: Tensor) -> str:
        """How many of drawn molecules are valid, different and new, and how like those trained on; warns where they are not."""
        return self.described(self.vocabulary.strings(x))

    def described(self, texts: Sequence[str]) -> str:
        """The same of strings as they were drawn. A model with conditions is not warned of: they may ask for other molecules."""
        from vaehub_molecules.use.counts import describe_samples

        if self.profile is None:
            return describe_samples(texts, self.trained_on)
        likeness = self.profile.likeness([smiles for smiles in canonical_or_empty(texts, self.policy) if smiles])
        if not self.conditions.width and (warning := likeness.warning()):
            warnings.warn(warning, UserWarning, stacklevel=3)
        return f"{describe_samples(texts, self.trained_on)}\n{likeness.line()}"

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """cond (C,) from numbers in order or name=value."""
        return self.conditions.read(values)

    def to_json(self) -> Json:
        """Vocabulary, units, which molecules are accepted, and which were trained on."""
        return {
            "tokenizer": self.tokenizer,
            "vocabulary": self.vocabulary.state(),
            "scales": self.scales.state(),
            "conditions": self.conditions.scales.state(),
            "scaffold": self.conditions.scaffold,
            "known": self.trained_on.to_text(),
            **({} if self.profile is None else {"profile": self.profile.state()}),
            "policy": asdict(self.policy) | {"elements": list(self.policy.elements)},
        }

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> MoleculeCodec:
        """The codec of a saved model."""
        if state["tokenizer"] not in TOKENIZERS:
            raise UsageError(f"this model's tokenizer {state['tokenizer']!r} is unknown; there are {', '.join(TOKENIZERS)}")
        policy = Policy(**(state["policy"] | {"elements": tuple(state["policy"]["elements"])}))
        vocabulary = Vocabulary.restore(TOKENIZERS[state["tokenizer"]](), state["vocabulary"])
        if (vocabulary.length, len(vocabulary)) != (*spec.shape, spec.classes):
            raise ValueError(f"{len(vocabulary)} symbols in strings of {vocabulary.length}, but rows of {spec.shape}")
        return cls(
            spec,
            state["tokenizer"],
            vocabulary,
            Scales.restore(state["scales"]),
            Conditions(Scales.restore(state["conditions"]), files.validated_json(bool, state["scaffold"])),
            HashedSet.from_text(state["known"]),
            policy,
            TrainingProfile.restore(state["profile"]) if "profile" in state else None,
        )


def smiles_frame(given: object) -> pd.DataFrame:
    """A SMILES string, or several, as a frame."""
    texts = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"x: expected SMILES strings or a frame of them, got {hints.quoted(given)}")
    return pd.DataFrame({"smiles": texts})


def require_accepted(texts: Sequence[str], answers: Sequence[StandardisedOrRejected]) -> list[str]:
    """The canonical SMILES of texts, with a warning where molecules are changed. Raises UsageError that names the first that has none."""
    found: list[Standardised] = []
    for row, (text, answer) in enumerate(zip(texts, answers, strict=True)):
        if isinstance(answer, Rejected):
            raise UsageError(f"x: row {row}: {hints.quoted(text)}: {answer}")
        found.append(answer)
    warn_of_changes("x", (answer.changes for answer in found))
    return [answer.smiles for answer in found]


def molecule_codec_of(codec: object) -> MoleculeCodec:
    """A codec of this plugin. Raises UsageError for another one."""
    if not isinstance(codec, MoleculeCodec):
        raise UsageError("this run is not one of molecules; give one trained on domain smiles, moses or zinc250k")
    return codec
