"""The commands of `vaehub`, one function each; a module is imported when its command runs."""

COMMANDS = {  # name -> (where it is, what `vaehub --help` says of it)
    "train": ("vaehub.cli.train:train", "Train a model and write its run folder and report."),
    "evaluate": ("vaehub.cli.judge:evaluate", "Print the bound, the likelihood and the domain's metrics."),
    "doctor": ("vaehub.cli.judge:doctor", "Look for what commonly goes wrong, with evidence and remedy."),
    "report": ("vaehub.cli.judge:report", "Draw the figures and write report.html anew."),
    "compare": ("vaehub.cli.compare:compare", "Compare runs: figures, options that differ, and curves."),
    "score": ("vaehub.cli.use:score", "Score the rows of a file: how unlike the training data are they?"),
    "sample": ("vaehub.cli.use:sample", "Draw new rows from the prior."),
    "encode": ("vaehub.cli.use:encode", "Write the codes of the rows of a file."),
    "decode": ("vaehub.cli.use:decode", "Write the rows of a file of codes."),
    "reconstruct": ("vaehub.cli.use:reconstruct", "Encode and decode the rows of a file."),
    "interpolate": ("vaehub.cli.use:interpolate", "Walk in latent space from one row of a file to another."),
    "plugins": ("vaehub.cli.extend:plugins", "List the plugins: version, status, components."),
    "new": ("vaehub.cli.extend:new", "Write a working plugin package to start from."),
    "check": ("vaehub.cli.extend:check", "Test the components of a plugin for what the engine relies on."),
}
