"""`vaehub molecules metrics`, `neighbours`, `interpolate` and `reconstruct`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import UsageError, cli, files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vaehub_molecules.use.latent_space import LatentSpace

Smiles = Annotated[list[str], typer.Argument(metavar="SMILES…", help="Molecules; quote them.", show_default=False)]
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Molecules: .smi, .csv, .parquet or .sdf, each also .gz.", show_default=False)
]
Number = Annotated[int, typer.Option("-n", "--number", "-k", min=1, help="How many.")]
PICTURES = (".png", ".svg")
STRUCTURES = (".smi", ".smiles", ".sdf")  # each also .gz


def metrics(
    file: File,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Molecules to compare with: a file, or test_stats.npz of MOSES. Without it FCD, SNN, Frag, Scaf and W1 are left out.",
            show_default=False,
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help="Molecules that were trained on. Without them novelty and known rings are left out.", show_default=False
        ),
    ] = None,
    json: cli.AsJson = False,
) -> None:
    """Show the MOSES figures of a file of molecules, from any program; those of a run are in `vaehub evaluate RUN`.

    Example: vaehub molecules metrics new.smi --reference test.smi --train train.smi
    """
    from vaehub_molecules.chem.canonical import canonical_or_empty
    from vaehub_molecules.domains.profile import TrainingProfile
    from vaehub_molecules.files import read_molecules, read_strings
    from vaehub_molecules.metrics import evaluate
    from vaehub_molecules.report.measures import described_figures
    from vaehub_molecules.use.evaluation import ANY_MOLECULE, likeness_metrics

    if file.is_dir():
        raise UsageError(f"{file}: is a folder, not a file of molecules; for the figures of a run: vaehub evaluate {file}")
    with cli.session():
        samples = read_strings(file)
        seen = read_molecules(train).frame["smiles"].tolist() if train else []
        statistics = reference if reference and reference.suffix == ".npz" else None
        compared = read_strings(reference) if reference and not statistics else None
        figures = evaluate(samples, set(seen), compared, statistics)
        if seen:
            unseen = [smiles for smiles in canonical_or_empty(compared or (), ANY_MOLECULE) if smiles]
            figures = {**figures, **likeness_metrics(TrainingProfile.of(seen), samples, unseen)}
    if json:
        return cli.print_json(dict(figures))
    cli.print_table(
        ("figure", "value", "what it says"),
        [(m.name, m.value, m.meaning) for rows in described_figures(figures).values() for m in rows],
    )


def neighbours(
    run: cli.RunPath,
    smiles: Smiles,
    among: Annotated[
        Path | None, typer.Option(help="A file of molecules to search.", show_default="the training molecules")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A table (.csv, .parquet).", show_default=False)] = None,
    k: Number = 10,
    force: cli.Force = False,
) -> None:
    """Find the molecules most like others: by code, and by fingerprint.

    Example: vaehub molecules neighbours runs/molecules 'CC(=O)Nc1ccc(O)cc1' -n 5
    """
    from vaehub_molecules.use.neighbours import neighbours as find

    check_output_path(output, [among], force)
    with cli.session():
        space = open_space(run)
        others = training_molecules(space) if among is None else read_molecules_for(space, among)
        frame = find(space, [space.canonical(text) for text in smiles], others, k)
    show_and_write(frame, output)


def training_molecules(space: LatentSpace) -> list[str]:
    """What the model was trained on. Raises UsageError that names the way out where that is not at hand, as of a model that ships."""
    try:
        molecules: list[str] = space.domain.train["smiles"].tolist()
    except UsageError as error:
        raise UsageError(f"{error}; or name a file of molecules to search: --among FILE") from error
    return molecules


def interpolate(
    run: cli.RunPath,
    first: Annotated[str, typer.Argument(metavar="A", help="The first molecule, as SMILES.", show_default=False)],
    last: Annotated[str, typer.Argument(metavar="B", help="The last.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A picture (.png, .svg) or a table (.csv, .parquet).", show_default=False),
    ] = None,
    steps: Annotated[int, typer.Option(min=2, help="How many molecules at most, both ends included.")] = 10,
) -> None:
    """Walk from one molecule to another through latent space.

    Example: vaehub molecules interpolate runs/molecules CCO c1ccccc1O -o walk.png
    """
    from vaehub_molecules.use.interpolate import interpolate as walk

    check_output_path(output)
    with cli.session():
        space = open_space(run)
        frame = walk(space, space.canonical(first), space.canonical(last), steps)
    show_and_write(
        frame, output, [f"like the first {row.to_first:.2f}, the last {row.to_last:.2f}" for row in frame.itertuples()]
    )


def reconstruct(run: cli.RunPath, file: File, output: cli.OptionalOutput = None, force: cli.Force = False) -> None:
    """Show what comes back of molecules that are encoded and decoded.

    Example: vaehub molecules reconstruct runs/molecules molecules.smi -o again.csv
    """
    from vaehub_molecules.use.reconstruct import reconstruct as again

    check_output_path(output, [file], force)
    with cli.session():
        space = open_space(run)
        frame = again(space, read_molecules_for(space, file))
    show_and_write(frame, output or (run if run.is_dir() else run.parent) / "reconstructed.csv", silent=True)
    print(f"{len(frame):,} molecules: {frame.exact.mean():.1%} came back exactly, mean Tanimoto {frame.similarity.mean():.3f}")


def open_space(run: Path) -> LatentSpace:
    """The model of a run folder or a file."""
    from vaehub_molecules.use.latent_space import LatentSpace

    return LatentSpace(cli.open_run(run))


def read_molecules_for(space: LatentSpace, path: Path) -> list[str]:
    """The molecules of a file, in the form that the model reads. Raises UsageError where all are rejected."""
    from vaehub_molecules.files import read_molecules

    found = read_molecules(path, space.policy)
    found.check(0.5)
    found.warn_of_changes()
    return [str(smiles) for smiles in found.frame["smiles"]]


def check_output_path(output: Path | None, inputs: Sequence[Path | None] = (), force: bool = False) -> None:
    """Raises UsageError for a suffix that nothing is written to, and for one of the inputs, before there is work to be lost."""

    if output is not None:
        files.check_output(output, inputs, force, (*files.SUFFIXES, *STRUCTURES, *PICTURES))


def show_and_write(frame: pd.DataFrame, output: Path | None, legends: Sequence[str] = (), silent: bool = False) -> None:
    """A table to the screen, and to a file where one is named: a picture, structures, or a table."""
    if not silent:
        rows = [
            [f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in frame.itertuples(index=False)
        ]
        cli.print_table([str(name) for name in frame], rows)
    if output is None:
        return
    if output.suffix.lower() in PICTURES:
        from vaehub_molecules.chem.drawing import grid, grid_svg

        drawn = {".png": grid, ".svg": grid_svg}[output.suffix.lower()]
        files.atomic_write(output, drawn(frame["smiles"].tolist(), legends))
        print(output)
    elif files.matched_suffix(output, STRUCTURES):
        from vaehub_molecules.files.writing import write_frame

        write_frame(frame, output)
        print(output)
    else:
        cli.write_frame(frame, output)
