"""Any file of molecules."""

from __future__ import annotations

import warnings
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import pandas as pd
from pydantic import Field

from vaehub import UsageError
from vaehub_molecules.chem.policy import Charges, Isotopes, Metals, Policy, Salts, Stereo, Tautomers
from vaehub_molecules.domains.examples import example_molecules
from vaehub_molecules.domains.molecule_domain import Count, MoleculeDomain, Seed, TokenizerName
from vaehub_molecules.domains.property_values import Names
from vaehub_molecules.domains.splitting import split_by_hash

if TYPE_CHECKING:
    from vaehub_molecules.files import MoleculeTable

Share = Annotated[float, Field(gt=0, lt=0.5)]
Size = Annotated[int, Field(ge=1, le=512)]


@final
class Smiles(MoleculeDomain):
    """Molecules of a file (.smi, .csv, .parquet, .sdf, each also .gz), split into training, validation and test by the hash of each.

    `column`: where the SMILES stand, found by its name if not given. salts, stereo, charges, elements, max_length, max_heavy, metals, isotopes,
    tautomers: which molecules are accepted, and in which form, see `Policy`; what is rejected is listed in the run's rejected.csv, what is taken
    in another form in changed.csv, and more than a share of `max_bad` is an error.

    Arguments:
        path: The file of molecules.
        column: Where the SMILES stand; found by its name, if not given.
        tokenizer: How a string is cut into symbols: kekule (pieces of Kekulé SMILES), pairs (aromatic), atoms, selfies.
        properties: What is to be predicted from z: columns of the file, or names of what RDKit computes.
        condition: Properties that condition encoder and decoder (a CVAE).
        scaffold: Condition them on the scaffold too.
        salts: Of several fragments: keep all, keep the largest that is no counter-ion or solvent, or reject the molecule.
        stereo: Keep or drop stereochemistry.
        charges: Keep charges, neutralise where protons allow it, or reject a net charge.
        elements: Symbols of the elements that may occur; none given: all.
        max_length: Most characters of a string.
        max_heavy: Most heavy atoms of a molecule.
        metals: Disconnect alkali and alkaline earth metals that are drawn with a bond (CC(=O)O[Na]), or keep that bond.
        isotopes: Reject molecules with isotope labels, drop the labels, or keep them.
        tautomers: Keep the tautomer that is given, or write all as the canonical one (slow).
        max_bad: Share of rejected molecules above which the file is refused.
        val: Share of the molecules for validation.
        test: Share of the molecules for the test.
        rows: Train on so many molecules, drawn by their hash; val and test are shares of what is drawn. All, if not given.
        seed: Seed of the hashes that split and draw.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     domain = Smiles(**Smiles.example(Path(folder)), val=0.1, test=0.1)
    ...     print({split: len(domain.data(split)) for split in ("train", "val", "test")})
    {'train': 212, 'val': 27, 'test': 27}
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        column: str | None = None,
        tokenizer: TokenizerName = "kekule",
        properties: Names = (),
        condition: Names = (),
        scaffold: bool = False,
        salts: Salts = "largest",
        stereo: Stereo = "keep",
        charges: Charges = "keep",
        elements: Names = (),
        max_length: Size = 512,
        max_heavy: Annotated[int, Field(ge=1, le=512)] = 150,
        metals: Metals = "disconnect",
        isotopes: Isotopes = "reject",
        tautomers: Tautomers = "keep",
        max_bad: Annotated[float, Field(ge=0, le=1)] = 0.5,
        val: Share = 0.05,
        test: Share = 0.05,
        rows: Count = None,
        seed: Seed = 0,
    ) -> None:
        policy = Policy(salts, stereo, charges, tuple(elements), max_length, max_heavy, metals, isotopes, tautomers)
        super().__init__(tokenizer, properties, condition, scaffold, policy)
        self.path, self.column, self.max_bad = path, column, max_bad
        self.val_share, self.test_share, self.limit, self.seed = val, test, rows, seed

    @staticmethod
    def example(folder: Path) -> dict[str, Any]:
        """Options under which the domain has a few molecules."""
        (folder / "some.smi").write_text("\n".join(example_molecules()))
        return {"path": str(folder / "some.smi")}

    @cached_property
    def molecules(self) -> MoleculeTable:
        """What the file holds, or a sample that is large enough for `rows`."""
        from vaehub_molecules.files import Sample, read_molecules

        if self.path is None:
            raise UsageError("domain.path: which molecules? domain.path=molecules.smi (.csv, .parquet, .sdf, each also .gz)")
        sample = None
        if self.limit is not None:  # two more for the rounding of the shares
            sample = Sample(ceil((self.limit + 2) / (1 - self.val_share - self.test_share)), self.seed)
        found = read_molecules(Path(self.path), self.policy, self.column, numbers=self.property_names, sample=sample)
        found.check(self.max_bad)
        if found.rejected:
            warnings.warn(
                f"{self.path}: {len(found.rejected):,} lines rejected; see rejected.csv in the run's folder", stacklevel=2
            )
        for conflict in found.conflicts:
            if conflict.column in self.property_names:
                warnings.warn(f"{self.path}: {conflict}", stacklevel=2)
        found.warn_of_changes("see changed.csv in the run's folder")
        return found

    @cached_property
    def splits(self) -> dict[str, pd.DataFrame]:
        """The molecules of each split."""
        frame = self.molecules.frame
        if len(frame) < 3:
            raise UsageError(f"{self.path}: {len(frame)} different molecules; at least 3 are needed to train, validate and test")
        return split_by_hash(frame, self.val_share, self.test_share, self.seed, self.limit)

    def read_frame(self, split: str) -> pd.DataFrame:
        """Molecules of a split."""
        return self.splits[split]

    def record(self, folder: Path) -> None:
        """Keep the molecules, and write rejected.csv and changed.csv beside them."""
        super().record(folder)
        if self.run_folder is not None:
            return
        if self.molecules.rejected:
            self.molecules.write_rejected(folder / "rejected.csv")
        if self.molecules.changed:
            self.molecules.write_changed(folder / "changed.csv")
