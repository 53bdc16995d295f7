"""`vaehub demo molecules`: train on a few thousand drug-like molecules, draw new ones, and search for the best, offline, in a minute or two."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub import cli

if TYPE_CHECKING:
    from vaehub import Run
    from vaehub_molecules.use.latent_space import LatentSpace

DRAWN, CALLS, ROUND = 1000, 400, 90
MAX_SA = 3.0  # synthetic accessibility, at most
CONFIG: dict[str, Any] = {  # enough for molecules that look like drugs and codes that are used, in little time
    "encoder": {"name": "gru", "embedding": 64, "width": 128},
    "decoder": {"name": "gru", "embedding": 64, "width": 256, "temperature": 0.4},
    "likelihood": "categorical",
    "latent": 32,
    "objective": {
        "name": "predictive",
        "base": {"name": "elbo", "beta": 0.3, "schedule": "linear", "unit": "step", "warmup": 200},
        "weight": 0.3,
    },
    "optimizer": {"lr": 4e-3, "schedule": "cosine", "warmup": 30},
    "train": {"epochs": 6, "batch_size": 128, "score_rows": 0},
}
NEXT_STEPS = """For more: the same on your own molecules, and longer
  vaehub train configs/molecules.yaml domain.path=molecules.smi --out runs/mine
  vaehub report runs/mine
  vaehub molecules optimize runs/mine --objective qed --budget 10000 -o best"""


def molecules(
    out: Annotated[Path, typer.Option("--output", "-o", "--out", metavar="FOLDER", help="Folder to write to.")] = Path(
        "molecules-demo"
    ),
    rows: Annotated[int, typer.Option(min=100, help="Molecules of the sample to train on.")] = 6000,
) -> None:
    """Train on a sample of drug-like molecules, draw new ones, and search for one with a better QED.

    Example: vaehub demo molecules -o molecules
    """
    from vaehub_molecules.use.latent_space import LatentSpace

    space = LatentSpace(train_model(out / "model", rows))
    draw_samples(space, out / "samples.png")
    print(NEXT_STEPS, search(space, out / "search"), sep="\n")


def train_model(path: Path, rows: int) -> Run:
    """A small model of the sample that ships."""
    import vaehub
    from vaehub_molecules.data import sample_path

    domain = {
        "name": "smiles",
        "path": str(sample_path()),
        "properties": ["qed", "logp"],
        "rows": rows,
        "test": 0.14,  # enough for a distance between distributions
        "val": 0.02,
    }
    with cli.session():
        return vaehub.train({"domain": domain, **CONFIG}, out=path)


def draw_samples(space: LatentSpace, path: Path) -> None:
    """Draw molecules and say how like known ones they are, and how unseen ones come back; the first of them go on paper."""
    from vaehub_molecules.chem.canonical import canonical_or_empty
    from vaehub_molecules.files.writing import write_molecules
    from vaehub_molecules.metrics.fcd import frechet, moments
    from vaehub_molecules.use.evaluation import reconstruction_metrics

    with cli.session() as running:
        with running.step("sampling"):
            texts = space.strings(space.prior(DRAWN, 0), space.decoder.temperature)
        print(space.codec.described(texts))
    write_molecules(texts[:30], path)
    print(path)
    unseen = space.domain.data("test")
    with cli.session() as running, running.step("comparing with unseen molecules"):
        back = reconstruction_metrics(space.run.vae, unseen, DRAWN)
        new, test = (
            moments(molecules)
            for molecules in ([smiles for smiles in canonical_or_empty(texts) if smiles], unseen.facts.smiles[:DRAWN])
        )
        fcd = frechet(new, test)
    print(
        f"unseen molecules: {back['exact_reconstruction']:.1%} come back exactly, {back['token_reconstruction']:.1%} of their symbols"
    )
    if not isnan(fcd):
        print(f"FCD of the drawn molecules to them: {fcd:.1f} (0 where both are distributed alike)")


def search(space: LatentSpace, folder: Path) -> Path:
    """The page of a short search for the best QED, every call counted."""
    from vaehub_molecules.commands.optimize import summary
    from vaehub_molecules.search import optimize
    from vaehub_molecules.search.constraints import Constraints
    from vaehub_molecules.search.hybrid import Hybrid, HybridOptions

    with cli.session():
        made = Hybrid(HybridOptions(smallest=ROUND))
        result = optimize(space, "qed", budget=CALLS, method=made, constraints=Constraints(sa_max=MAX_SA), out=folder, workers=0)
    print(*summary(result), sep="\n")
    return folder / "report.html"
