"""`vaehub molecules clean`."""

from __future__ import annotations

from typing import Annotated

import typer

from vaehub import cli
from vaehub_molecules.chem.policy import Charges, Isotopes, Metals, Policy, Salts, Stereo, Tautomers
from vaehub_molecules.commands.explore import File, check_output_path, show_and_write


def clean(
    file: File,
    output: cli.Output,
    column: Annotated[str | None, typer.Option(help="Where the SMILES stand.", show_default="found by its name")] = None,
    salts: Annotated[
        Salts, typer.Option(help="Of several fragments: the largest that is no counter-ion or solvent, all, or none.")
    ] = "largest",
    metals: Annotated[Metals, typer.Option(help="What becomes of CC(=O)O[Na] and the like.")] = "disconnect",
    charges: Annotated[Charges, typer.Option(help="What becomes of charges; reject: of a net charge.")] = "keep",
    stereo: Annotated[Stereo, typer.Option(help="What becomes of stereochemistry.")] = "keep",
    isotopes: Annotated[Isotopes, typer.Option(help="What becomes of isotope labels.")] = "reject",
    tautomers: Annotated[Tautomers, typer.Option(help="The tautomer that is given, or the canonical one (slow).")] = "keep",
    force: cli.Force = False,
) -> None:
    """Write the molecules of a file in canonical form, each once, and beside them what was rejected or changed and why.

    Example: vaehub molecules clean bought.sdf -o clean.smi --charges neutralise
    """
    from vaehub_molecules.files import read_molecules

    check_output_path(output, [file], force)
    policy = Policy(salts, stereo, charges, metals=metals, isotopes=isotopes, tautomers=tautomers)
    with cli.session():
        found = read_molecules(file, policy, column)
    print(*found.lines(), sep="\n")
    show_and_write(found.frame, output, silent=True)
    for name, lines, write in (
        ("rejected.csv", found.rejected, found.write_rejected),
        ("changed.csv", found.changed, found.write_changed),
    ):
        if lines:
            write(output.with_name(name))
            print(output.with_name(name))
