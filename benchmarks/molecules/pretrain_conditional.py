"""Trains a sibling of molecules/drugs to which QED, logP and weight can be told, from what pretrain.py left in OUT; it does not ship.

    python benchmarks/molecules/pretrain_conditional.py --out runs/drugs

OUT/conditional/molecules has the molecules of OUT/molecules with these properties of all of them; OUT/conditional/run goes on from the weights of
OUT/between.safetensors, with inputs for the condition that start at 0; OUT/conditional/model.safetensors has a flow under the
condition that is fitted to its codes of MOSES.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pretrain import CONFIG, LAST_FLOW, MORE, OF_MOSES_ALONE, stage

import vaehub
from vaehub.config.build import build_domain, build_vae
from vaehub_molecules.chem.properties import property_table
from vaehub_molecules.domains.kept_splits import FOLDER, SPLITS, read_split, write_splits
from vaehub_molecules.domains.molecule_domain import MoleculeDomain, molecule_domain_of

CONDITION = ("qed", "logp", "mw")


def main() -> None:
    """All stages that are not done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of pretrain.py")
    given = parser.parse_args()
    torch.set_num_threads(1)
    out = given.out / "conditional"
    if not (out / FOLDER).exists():
        out.mkdir(exist_ok=True)
        write_splits(out, measured(given.out))
    config = vaehub.load_config(CONFIG, {"domain": {"condition": list(CONDITION)}} | MORE | {"train": {"epochs": 2}})
    domain = molecule_domain_of(build_domain(config))
    domain.restore(out)
    begun = widened(vaehub.load(given.out / "between.safetensors"), config, domain)
    run = stage(config, {}, out / "run", domain, begun)
    of_moses = vaehub.Subset(domain.data("train"), torch.arange(OF_MOSES_ALONE))
    vaehub.fit_prior(run, MORE["prior"], of_moses, **LAST_FLOW).save(out / "model.safetensors")


def measured(folder: Path) -> dict[str, pd.DataFrame]:
    """The molecules of a folder, by split, with the condition of every one."""
    frames = {split: read_split(folder, split) for split in SPLITS}
    train = frames["train"]
    unknown = np.flatnonzero(train[list(CONDITION)].isna().any(axis=1))
    values = property_table(train["smiles"].iloc[unknown].tolist(), CONDITION)
    for name in CONDITION:
        train.loc[train.index[unknown], name] = values[name].to_numpy()
    return frames


@torch.no_grad()
def widened(run: vaehub.Run, config: vaehub.Config, domain: MoleculeDomain) -> vaehub.Run:
    """A model with a condition that starts as one without: the weights of the further inputs, which stand last, are 0."""
    vae = build_vae(config, domain.codec.spec)
    weights: dict[str, Any] = dict(run.vae.state_dict())
    for name, weight in vae.state_dict().items():
        if weight.shape != weights[name].shape:
            weight.zero_()[..., : weights[name].shape[-1]] = weights[name]
        else:
            weight.copy_(weights[name])
    return vaehub.Run(config, domain.codec, domain, vae)


if __name__ == "__main__":
    main()
