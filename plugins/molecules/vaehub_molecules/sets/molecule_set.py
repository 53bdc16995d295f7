"""What all sets of molecules share as vaehub domains."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from vaehub.base import Data, Domain, Json, Spec
from vaehub.errors import UsageError
from vaehub.model.vae import VAE
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.properties import PROPERTIES, table
from vaehub_molecules.rows import Rows
from vaehub_molecules.sets.conditions import Conditions
from vaehub_molecules.sets.known import Known
from vaehub_molecules.sets.scales import Scales
from vaehub_molecules.tokens import TOKENIZERS, Vocabulary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub.run import Run

TokenizerName: TypeAlias = Literal["kekule", "pairs", "atoms", "selfies"]
Names: TypeAlias = Sequence[str]
Count: TypeAlias = Annotated[int, Field(ge=1)] | None
Seed: TypeAlias = Annotated[int, Field(ge=0)]
JUDGED = 500  # molecules that `validate` reconstructs, and as many that it draws


class MoleculeSet(Domain):
    """Molecules as strings of symbols.

    tokenizer: how SMILES are split. properties: what is predicted from z (objective predictive), names that RDKit computes or columns of
    the file. condition: what encoder and decoder are told (a CVAE). scaffold: tell them the scaffold as well.
    """

    suffix = ".smi"

    def __init__(self, tokenizer: TokenizerName, properties: Names, condition: Names, scaffold: bool, policy: Policy) -> None:
        self.tokenizer, self.names, self.condition_names = TOKENIZERS[tokenizer](), tuple(properties), tuple(condition)
        self.scaffold, self.policy = scaffold, policy
        self._spec: Spec | None = None

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
    def vocabulary(self) -> Vocabulary:
        """The symbols of the training molecules."""
        return Vocabulary.learn(self.tokenizer, self.train["smiles"].tolist())

    @cached_property
    def known(self) -> Known:
        """Which molecules were trained on."""
        return Known.of(self.train["smiles"])

    @cached_property
    def scales(self) -> Scales:
        """Units of what is predicted."""
        return Scales.of(self.names, self.values("train", self.names))

    @cached_property
    def conditions(self) -> Conditions:
        """What conditions the model."""
        return Conditions(Scales.of(self.condition_names, self.values("train", self.condition_names)), self.scaffold)

    @cached_property
    def _values(self) -> dict[str, pd.DataFrame]:
        return {}

    def values(self, split: str, names: Names) -> np.ndarray:
        """Properties (N, P) of the molecules of a split, each computed once."""
        if split not in self._values:
            frame = self.train if split == "train" else self.frame(split)
            self._values[split] = numbers(frame, tuple(dict.fromkeys((*self.names, *self.condition_names))))
        return self._values[split][list(names)].to_numpy(np.float64)

    @property
    def spec(self) -> Spec:
        """(T,) symbols out of V."""
        if self._spec is None:
            v = self.vocabulary
            self._spec = Spec((v.length,), cond=self.conditions.width, classes=len(v), targets=len(self.names))
        return self._spec

    def data(self, split: str) -> Data:
        """Molecules that the vocabulary can spell; of validation and test those that it cannot are left out."""
        frame = self.train if split == "train" else self.frame(split)
        spelt = np.array([split == "train" or self.vocabulary.lacks(s) is None for s in frame["smiles"]], dtype=bool)
        y, given = (self.values(split, names)[spelt] for names in (self.names, self.condition_names))
        return self.rows(frame["smiles"][spelt].tolist(), y, given)

    def rows(self, smiles: Sequence[str], y: np.ndarray | None, given: np.ndarray) -> Rows:
        """Molecules with their conditions, and what is predicted of them where it is known, as rows of the model."""
        targets = self.scales.scaled(torch.tensor(y, dtype=torch.float32)) if self.names and y is not None else None
        return Rows(self.vocabulary.rows(smiles), self.vocabulary.symbols, smiles, self.conditions.of(given, smiles), targets)

    def encodable(self, smiles: Sequence[str]) -> Rows:
        """Canonical molecules as rows without what is predicted of them, conditioned on what RDKit computes."""
        given = numbers(pd.DataFrame({"smiles": list(smiles)}), self.condition_names).to_numpy(np.float64)
        return self.rows(smiles, None, given)

    def read(self, path: Path) -> Data:
        """Molecules of a file. Raises UsageError that names a molecule with a symbol that the model does not know."""
        from vaehub_molecules.files import read_molecules

        found = read_molecules(path, self.policy)
        for line in found.rejected[:1]:
            raise UsageError(
                f"{path}: line {line.number}: {line.reason} ({len(found.rejected)} such); see `vaehub molecules clean`"
            )
        frame = found.frame
        return self.rows(
            frame["smiles"].tolist(),
            *(numbers(frame, names).to_numpy(np.float64) for names in (self.names, self.condition_names)),
        )

    def write(self, x: Tensor, path: Path) -> None:
        """Molecules to .smi, .csv, .parquet, .sdf or a picture (.png, .svg)."""
        from vaehub_molecules.files.writing import write_molecules

        write_molecules(self.vocabulary.strings(x), path)

    def summary(self, x: Tensor) -> str:
        """How many of drawn molecules are valid, different and new."""
        from vaehub_molecules.use.sample import counts_line

        return counts_line(self.vocabulary.strings(x), self.known)

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """cond (C,) from numbers in order or name=value."""
        return self.conditions.read(values)

    def state(self) -> Json:
        """Vocabulary, units, and which molecules were trained on."""
        return {
            "vocabulary": self.vocabulary.state(),
            "scales": self.scales.state(),
            "conditions": self.conditions.scales.state(),
            "known": self.known.to_text(),
        }

    def restore(self, spec: Spec, state: Json) -> None:
        """Take up what a model file says."""
        self._spec = spec
        try:
            self.vocabulary = Vocabulary.restore(self.tokenizer, state["vocabulary"])
            self.scales = Scales.restore(state["scales"])
            self.conditions = Conditions(Scales.restore(state["conditions"]), self.scaffold)
            self.known = Known.from_text(state["known"])
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise UsageError(f"the model file's vocabulary is damaged ({error!r}); use another copy, or train again") from error

    def validate(self, vae: VAE, data: Data) -> Mapping[str, float]:
        """Share of validation molecules that come back exactly, and of valid ones among drawn (`val_exact`, `val_valid`)."""
        from vaehub_molecules.use.judge import exact, valid

        return {"exact": exact(vae, data, JUDGED), "valid": valid(vae, data, self.vocabulary, JUDGED)}

    def metrics(self, run: Run, split: str) -> Mapping[str, float]:
        """What comes back, what is drawn, and whether z is used, in one table."""
        from vaehub_molecules.use.judge import figures_of

        return figures_of(run, self.data(split), self.train["smiles"].tolist())

    def figures(self, run: Run) -> Mapping[str, Figure]:
        """Drawn molecules: new ones, and pairs of given and returned."""
        from vaehub_molecules.report.figures import figures

        return figures(run)


def numbers(frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Columns of a table by name; those that it lacks are computed by RDKit. Raises UsageError for what is neither."""
    computed = [name for name in names if name not in frame]
    unknown = [name for name in computed if name not in PROPERTIES]
    if unknown:
        raise UsageError(f"domain: no column and no property {unknown[0]!r}; RDKit computes {', '.join(PROPERTIES)}")
    out = table(frame["smiles"].tolist(), computed) if computed else pd.DataFrame(index=range(len(frame)))
    stated: dict[str, Any] = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy() for name in names if name in frame}
    return out.assign(**stated)[list(names)]
