"""Trains the model that ships as molecules/drugs, in stages of which those that an earlier start of the script ended are not repeated.

    python benchmarks/molecules/pretrain.py --moses moses --zinc zinc250k --out runs/drugs

OUT/molecules has molecules of MOSES and of ZINC250k without JT-VAE's validation and test part, canonical, with properties of some of them;
OUT/run is the run that `pretrain.yaml` makes of them, under N(0, I) and with a KL that counts little, so that codes carry the molecules;
OUT/tuned goes on from there under a flow, which is first fitted to the codes and then trained together with the rest, and with a KL that
counts more; OUT/between.safetensors has weights between the two, and OUT/more goes on from these. OUT/model.safetensors is what ships: that
of OUT/more, with a flow that is fitted to means of MOSES alone and a little noise, since means decode better than draws do.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import vaehub
from vaehub.config.build import build_domain
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.properties import property_table
from vaehub_molecules.domains.kept_splits import FOLDER, write_splits
from vaehub_molecules.domains.molecule_domain import MoleculeDomain, molecule_domain_of
from vaehub_molecules.domains.moses import Moses
from vaehub_molecules.domains.published import canonical_frame
from vaehub_molecules.domains.splitting import hash_order
from vaehub_molecules.domains.zinc250k import Zinc250k

CONFIG = Path(__file__).with_suffix(".yaml")
OF_MOSES, OF_ZINC, HELD_OUT = 300_000, 100_000, 3_000
MEASURED = 60_000  # training molecules of which properties are computed, which takes 2 ms each; of the others they are unknown
FLOW: dict[str, Any] = {"name": "flow", "kind": "realnvp", "layers": 8, "hidden": [256, 256]}
FIRST_CODES, OF_MOSES_ALONE = 100_000, 200_000  # the first molecules are all of MOSES
TUNING: dict[str, Any] = {
    "prior": FLOW,
    "objective": {"base": {"beta": 0.5, "schedule": "constant"}},
    "optimizer": {"lr": 1e-3, "warmup": 100},
    "train": {"epochs": 2},
}
TUNED_SHARE = 0.6  # of the weights between: the more, the better are draws, the fewer molecules come back
MORE: dict[str, Any] = TUNING | {"objective": {"base": {"beta": 0.35, "schedule": "constant"}}, "train": {"epochs": 5}}
LAST_FLOW: dict[str, Any] = {"draws": 1, "noise": 0.3, "epochs": 12, "lr": 1e-3}


def main() -> None:
    """All stages that are not done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moses", type=Path, required=True, help="a folder with train and test of MOSES")
    parser.add_argument("--zinc", type=Path, required=True, help="a folder with zinc250k, jtvae_valid and jtvae_test")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("changes", nargs="*", help="changes of the config, such as objective.base.beta=0.2")
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = vaehub.load_config(CONFIG, given.changes)
    if not (given.out / FOLDER).exists():
        given.out.mkdir(parents=True, exist_ok=True)
        write_splits(given.out, splits(given.moses, given.zinc, config.domain.options["properties"]))
    domain = molecule_domain_of(build_domain(config))
    domain.restore(given.out)
    run = vaehub.train(config, out=given.out / "run", domain=domain, resume=True)
    rows = domain.data("train")
    some = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:FIRST_CODES]
    begun = vaehub.fit_prior(run, FLOW, vaehub.Subset(rows, some), epochs=4, draws=1, lr=2e-3)
    tuned = stage(config, TUNING, given.out / "tuned", domain, begun)
    move_towards(tuned.vae, begun.vae, 1 - TUNED_SHARE)
    of_moses = vaehub.Subset(rows, torch.arange(OF_MOSES_ALONE))
    between = vaehub.fit_prior(tuned, FLOW, of_moses, epochs=4, draws=1, lr=5e-4)
    between.save(given.out / "between.safetensors")
    more = stage(config, MORE, given.out / "more", domain, between)
    vaehub.fit_prior(more, FLOW, of_moses, **LAST_FLOW).save(given.out / "model.safetensors")


def stage(config: vaehub.Config, changes: Mapping[str, Any], out: Path, domain: MoleculeDomain, init: vaehub.Run) -> vaehub.Run:
    """Training from the weights of an earlier stage, or the rest of it where it was begun."""
    begun = out.exists()
    return vaehub.train(config, changes, out=out, domain=domain, resume=begun, init=None if begun else init)


@torch.no_grad()
def move_towards(model: torch.nn.Module, other: torch.nn.Module, share: float) -> None:
    """Weights a share of the way to those of another model that it was trained on from.

    "Robust fine-tuning of zero-shot models" (Wortsman et al., 2022), arXiv:2109.01903.
    """
    for weight, aim in zip(model.parameters(), other.parameters(), strict=True):
        weight.lerp_(aim, share)


def splits(moses: Path, zinc: Path, properties: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Training molecules of both sets; validation and test molecules of MOSES."""
    policy = Policy(max_heavy=60)
    of_moses, of_zinc = Moses(path=str(moses)), Zinc250k(path=str(zinc))
    zinc_train = of_zinc.parts["train"]
    chosen = [zinc_train[i] for i in hash_order(zinc_train, 0)[:OF_ZINC]]
    train = canonical_frame([*of_moses.parts["train"][:OF_MOSES], *chosen], policy)
    test = of_moses.lines("test")
    parts = {"val": of_moses.parts["val"][:HELD_OUT], "test": [test[i] for i in hash_order(test, 0)[:HELD_OUT]]}
    held_out = {part: canonical_frame(molecules, policy) for part, molecules in parts.items()}
    return {"train": with_properties(train, properties, MEASURED)} | {
        part: with_properties(frame, properties, len(frame)) for part, frame in held_out.items()
    }


def with_properties(frame: pd.DataFrame, properties: Sequence[str], count: int) -> pd.DataFrame:
    """The molecules with properties of `count` of them, drawn by their hash; NaN stands for those of the others."""
    measured = hash_order(frame["smiles"].tolist(), 1)[:count]
    known = property_table(frame["smiles"].iloc[measured].tolist(), tuple(properties)).set_index(np.asarray(measured))
    return frame.join(known)


if __name__ == "__main__":
    main()
