"""`vaehub demo molecules`: draw from the model that ships, see what comes back of known molecules, and search for the best, offline, in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import cli

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

MODEL = Path("molecules/drugs")
DRAWN, SHOWN, CALLS, ROUND = 500, 30, 250, 90
MAX_SA = 3.0  # synthetic accessibility, at most
NEXT_STEPS = """For more: from your own leads, and for your own objective; or a model of your own molecules
  vaehub molecules optimize --start leads.smi --objective qed --similarity 0.4 --budget 1000 -o best
  vaehub sample molecules/drugs -n 1000 -o new.smi
  vaehub train configs/molecules.yaml domain.path=molecules.smi --out runs/mine"""


def molecules(
    out: Annotated[Path, typer.Option("--output", "-o", "--out", metavar="FOLDER", help="Folder to write to.")] = Path(
        "molecules-demo"
    ),
) -> None:
    """Draw drug-like molecules from the model that ships, see what comes back of known ones, and search for a better QED.

    Example: vaehub demo molecules -o molecules
    """
    from vaehub_molecules.use.latent_space import LatentSpace

    space = LatentSpace(cli.open_run(MODEL))
    drawn = draw_samples(space, out / "samples.png")
    show_reconstruction(space)
    print(NEXT_STEPS, search(space, drawn, out / "search"), sep="\n")


def draw_samples(space: LatentSpace, path: Path) -> list[str]:
    """Draw molecules and say how like those trained on they are; the first of them go on paper."""
    from vaehub_molecules.chem.canonical import canonical_or_empty
    from vaehub_molecules.files.writing import write_molecules

    with cli.session() as running:
        with running.step("sampling"):
            texts = space.strings(space.prior(DRAWN, 0), space.decoder.temperature)
        print(space.codec.described(texts))
    write_molecules(texts[:SHOWN], path)
    print(path)
    return [smiles for smiles in canonical_or_empty(texts, space.policy) if smiles]


def show_reconstruction(space: LatentSpace) -> None:
    """Say what comes back of molecules of the sample that the model has not seen."""
    from vaehub_molecules.data import sample_path
    from vaehub_molecules.files import read_molecules
    from vaehub_molecules.use.reconstruct import reconstruct

    with cli.session() as running, running.step("encoding and decoding unseen molecules"):
        smiles = [text for text in read_molecules(sample_path(), space.policy).frame["smiles"] if space.can_read(text)]
        unseen = [text for text, seen in zip(smiles, space.trained_on.holds(smiles), strict=True) if not seen][:DRAWN]
        back = reconstruct(space, unseen)
    print(
        f"{len(back):,} unseen molecules: {back.exact.mean():.1%} come back exactly, mean likeness {back.similarity.mean():.2f}"
    )


def search(space: LatentSpace, drawn: list[str], folder: Path) -> Path:
    """The page of a short search for the best QED that begins with what was drawn, every call counted."""
    from vaehub_molecules.commands.optimize import summary
    from vaehub_molecules.search import optimize
    from vaehub_molecules.search.constraints import Constraints
    from vaehub_molecules.search.hybrid import Hybrid, HybridOptions

    with cli.session():
        made = Hybrid(HybridOptions(smallest=ROUND))
        limits = Constraints(sa_max=MAX_SA)
        result = optimize(space, "qed", CALLS, made, constraints=limits, pool=drawn, out=folder, workers=0)
    print(*summary(result), sep="\n")
    return folder / "report.html"
