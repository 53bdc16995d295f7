"""How near molecules that a conditional model draws come to the properties that they were asked for, beside draws that were asked nothing.

    python benchmarks/molecules/conditional.py runs/drugs/conditional/model.safetensors --moses moses

Asked for are the properties of test molecules of MOSES, all at once and each as often as it occurs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from shared import molecules, table

import vaehub
from vaehub_molecules import LatentSpace
from vaehub_molecules.chem.properties import property_table


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a model that is conditioned on properties")
    parser.add_argument("--plain", default="molecules/drugs", help="the model that is asked nothing")
    parser.add_argument("--moses", type=Path, required=True, help="a folder with test.smi.gz of MOSES")
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    asked, plain = LatentSpace(vaehub.load(given.run)), LatentSpace(vaehub.load(given.plain))
    names = asked.codec.conditions.scales.names
    unseen = molecules(given.moses / "test.smi.gz", given.draws, asked.policy)
    wanted = property_table(unseen, names)
    cond = asked.codec.conditions.of(wanted.to_numpy(float), unseen)
    codes = asked.prior(len(unseen), given.seed, cond)
    rows = []
    for temperature in (1.0, asked.decoder.temperature):
        drawn = asked.molecules(codes, temperature, given.seed, cond)
        random = plain.molecules(plain.prior(len(unseen), given.seed), temperature, given.seed)
        found, by_chance = (property_table([smiles or "C" for smiles in texts], names) for texts in (drawn, random))
        for name in names:
            error, chance = (float(np.abs(values[name] - wanted[name]).mean()) for values in (found, by_chance))
            rows.append((temperature, name, error, chance, error / chance))
    table(("temperature", "property", "mean absolute error", "of draws that were asked nothing", "ratio"), rows)


if __name__ == "__main__":
    main()
