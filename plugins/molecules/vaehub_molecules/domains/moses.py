"""MOSES: two million lead-like molecules in three parts."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, final

import pandas as pd

from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.domains.examples import example_molecules
from vaehub_molecules.domains.molecule_domain import Count, MoleculeDomain, Seed, TokenizerName
from vaehub_molecules.domains.property_values import Names
from vaehub_molecules.domains.published import canonical_frame, fetch, held_out_size, read_smiles, sample_by_hash

WHEEL = "ca/04/335f23e9ae95ca381ac7c3f335303dbbeb0f8a604d167891cf60c9360178/molsets-0.3.1-py3-none-any.whl"
SHA256 = "7f4450e3ebecebe79c3a2a55950c93daddee071120daf64a163d03481e811d34"


@final
class Moses(MoleculeDomain):
    """MOSES in its published split, of whose training part 5,000 molecules are kept for validation.

    "Molecular Sets (MOSES)" (Polykovskiy et al., 2020), arXiv:1811.12823. `path`: a folder with train and test (.smi or .csv, each also
    .gz); or `download` (52 MB). `rows`: train on so many, drawn by their hash; test on 10,000 or, without `rows`, on all.

    Arguments:
        path: A folder with train and test (.smi or .csv, each also .gz).
        download: Fetch the data (52 MB).
        tokenizer: How a string is cut into symbols: kekule (pieces of Kekulé SMILES), pairs (aromatic), atoms, selfies.
        properties: What is to be predicted from z: columns of the file, or names of what RDKit computes.
        condition: Properties that condition encoder and decoder (a CVAE).
        scaffold: Condition them on the scaffold too.
        rows: Train on so many molecules, drawn by their hash; all, if not given.
        seed: Seed of the hashes that split and draw.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     domain = Moses(**Moses.example(Path(folder)))
    ...     print({split: len(domain.data(split)) for split in ("train", "val", "test")})
    {'train': 120, 'val': 13, 'test': 133}
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        download: bool = False,
        tokenizer: TokenizerName = "kekule",
        properties: Names = (),
        condition: Names = (),
        scaffold: bool = False,
        rows: Count = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(tokenizer, properties, condition, scaffold, Policy(stereo="drop"))
        self.path, self.download, self.limit, self.seed = path, download, rows, seed

    @staticmethod
    def example(folder: Path) -> dict[str, Any]:
        """Options under which a few molecules stand for the set."""
        molecules = example_molecules()
        for name, part in (("train", molecules[::2]), ("test", molecules[1::2])):
            (folder / f"{name}.smi").write_text("\n".join(part))
        return {"path": str(folder)}

    def lines(self, part: str) -> list[str]:
        """Published SMILES of "train" or "test"."""
        if self.download:
            return fetch(WHEEL, SHA256, f"moses/dataset/data/{part}.csv.gz")
        return read_smiles(self.path, [f"{part}.{kind}" for kind in ("smi.gz", "csv.gz", "smi", "csv")], "MOSES")

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """Published SMILES of training and validation."""
        lines = self.lines("train")
        ranked, n = sample_by_hash(lines, len(lines), self.seed), held_out_size(lines)
        return {"val": ranked[:n], "train": ranked[n:][: self.limit]}

    def read_frame(self, split: str) -> pd.DataFrame:
        """Molecules of a split."""
        if split == "test":
            return canonical_frame(sample_by_hash(self.lines("test"), self.limit and 10_000, self.seed), self.policy)
        return canonical_frame(self.parts[split], self.policy)
