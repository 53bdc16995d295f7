"""`vaehub demo images`: handwritten digits learnt, drawn anew and judged, with a report, offline and within a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub import cli

if TYPE_CHECKING:
    from vaehub import Run

DRAWN, JUDGED, STRANGEST = 100, 2_000, 40
SMALL: dict[
    str, Any
] = {  # enough for digits that can be read, in little time; with two dimensions one draw in seven would be noise
    "domain": {"name": "mnist"},
    "latent": 8,
    "encoder": {"name": "mlp", "hidden": [256, 128], "activation": "silu"},
    "decoder": {"name": "mlp", "hidden": [128, 256], "activation": "silu"},
    "likelihood": "bernoulli",
    "optimizer": {"lr": 2e-3, "schedule": "cosine", "warmup": 100},
    "train": {"epochs": 5, "batch_size": 128, "score_rows": 2_000},
}
MORE = """For more: the same digits for longer, your own pictures, and how unlike the training set each of them is
  vaehub train configs/mnist.yaml --out runs/mnist
  vaehub train configs/images_folder.yaml domain.path=my_pictures --out runs/mine
  vaehub score runs/mine my_pictures -o scores.csv"""


def images(
    out: Annotated[Path, typer.Option("--output", "-o", "--out", metavar="FOLDER", help="Folder to write to.")] = Path(
        "images-demo"
    ),
) -> None:
    """Train on handwritten digits, draw new ones, find the strangest of the test set, and report.

    Example: vaehub demo images -o digits
    """
    run = trained(out / "model")
    draw(run, out / "samples.png")
    judge(run, out / "strangest.png")
    print(MORE, run.report(), sep="\n")


def trained(path: Path) -> Run:
    """A small model of the digits that ship."""
    import vaehub

    with cli.session() as running, running.step("training"):
        return vaehub.train(SMALL, out=path)


def draw(run: Run, path: Path) -> None:
    """New digits from the prior, on one sheet."""
    import torch

    run.codec.write(torch.from_numpy(run.sample(DRAWN)), path)
    print(f"{path}: {DRAWN} digits that nobody wrote")


def judge(run: Run, path: Path) -> None:
    """The images of the test set that the model finds the least likely, on one sheet."""
    import torch

    from vaehub import Subset

    data = run.data("test")
    scores = run.score(Subset(data, torch.arange(min(JUDGED, len(data)))))
    strangest = scores.sort_values("elbo_score", ascending=False, kind="stable")["row"].head(STRANGEST)
    run.codec.write(data[torch.tensor(strangest.to_numpy())].x, path)
    print(f"{path}: of {len(scores):,} test images the {len(strangest)} that are the most unlike what the model learnt")
