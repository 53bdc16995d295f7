"""The hooks: names only, so that listing the plugin imports nothing of it."""

from vaehub import hookimpl

PARTS = "vaehub_molecules.parts."
COMMANDS = "vaehub_molecules.commands."


@hookimpl
def vaehub_components() -> dict[str, str]:
    """Every part of this package, by kind and name."""
    return {
        "domain/smiles": "vaehub_molecules.domains.smiles:Smiles",
        "domain/moses": "vaehub_molecules.domains.moses:Moses",
        "domain/zinc250k": "vaehub_molecules.domains.zinc250k:Zinc250k",
        **{f"judge/{domain}": "vaehub_molecules.judge:MoleculeJudge" for domain in ("smiles", "moses", "zinc250k")},
        "encoder/gru": PARTS + "gru:GRUEncoder",
        "encoder/transformer": PARTS + "transformer:TransformerEncoder",
        "decoder/gru": PARTS + "gru:GRUDecoder",
        "decoder/transformer": PARTS + "transformer:TransformerDecoder",
        "objective/predictive": PARTS + "predictive:Predictive",
    }


@hookimpl
def vaehub_commands() -> dict[str, str]:
    """`vaehub molecules …` and `vaehub demo molecules`."""
    return {
        "molecules optimize": COMMANDS + "optimize:optimize",
        "molecules metrics": COMMANDS + "explore:metrics",
        "molecules neighbours": COMMANDS + "explore:neighbours",
        "molecules interpolate": COMMANDS + "explore:interpolate",
        "molecules reconstruct": COMMANDS + "explore:reconstruct",
        "molecules clean": COMMANDS + "clean:clean",
        "demo molecules": "vaehub_molecules.demo:molecules",
    }


@hookimpl
def vaehub_models() -> dict[str, str]:
    """The model that ships; models/drugs/MODEL.md says what it is."""
    return {"molecules/drugs": "models/drugs/model.safetensors"}


@hookimpl
def vaehub_groups() -> dict[str, str]:
    """What `vaehub --help` says of the commands."""
    return {"molecules": "Search for better molecules, and walk among, clean and rebuild them."}
