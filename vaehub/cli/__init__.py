"""The commands of `vaehub`, one function each; a module is imported when its command runs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

COMMANDS = {  # name -> (where it is, what `vaehub --help` says of it)
    "train": ("vaehub.cli.train:train", "Train a model and write its run folder and report."),
    "evaluate": ("vaehub.cli.judge:evaluate", "Print the bound, the likelihood and the domain's metrics."),
    "doctor": ("vaehub.cli.judge:doctor", "Look for what commonly goes wrong, with evidence and remedy."),
    "report": (
        "vaehub.cli.judge:report",
        "Write RUN/report.html anew: all that is known of the run on one page, with the sections of its domain.",
    ),
    "compare": ("vaehub.cli.compare:compare", "Compare runs: figures, options that differ, and curves."),
    "score": ("vaehub.cli.use:score", "Score the rows of a file: how unlike the training data are they?"),
    "sample": ("vaehub.cli.use:sample", "Draw new rows from the prior."),
    "encode": ("vaehub.cli.use:encode", "Write the codes of the rows of a file."),
    "decode": ("vaehub.cli.use:decode", "Write the rows of a file of codes."),
    "reconstruct": ("vaehub.cli.use:reconstruct", "Encode and decode the rows of a file."),
    "interpolate": ("vaehub.cli.use:interpolate", "Walk in latent space from one row of a file to another."),
    "configs": ("vaehub.cli.describe:configs", "List the configs that come with the plugins."),
    "init": ("vaehub.cli.describe:init", "Print one of these configs, to start one's own from."),
    "options": ("vaehub.cli.describe:options", "List the options of a config: type, default, and what each does."),
    "parts": ("vaehub.cli.describe:parts", "List the parts that models are made of."),
    "schema": ("vaehub.cli.describe:schema", "Print a JSON schema of configs, for editors."),
    "plugins": ("vaehub.cli.extend:plugins", "List the plugins: version, status, and what each brings."),
    "new": ("vaehub.cli.extend:new", "Write a working plugin package to start from."),
    "check": ("vaehub.cli.extend:check", "Test the components of a plugin for what the engine relies on."),
}
