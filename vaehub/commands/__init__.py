"""The commands of `vaehub`, one function each; a module is imported when its command runs."""

COMMANDS = {  # name -> (where it is, what `vaehub --help` says of it)
    "train": ("vaehub.commands.train:train", "Train a model and write its run folder and report."),
    "evaluate": ("vaehub.commands.judge:evaluate", "Print the bound, the likelihood and the domain's metrics."),
    "doctor": ("vaehub.commands.judge:doctor", "Look for what commonly goes wrong, with evidence and remedy."),
    "report": ("vaehub.commands.judge:report", "Draw the figures and write report.html anew."),
    "score": ("vaehub.commands.use:score", "Score the rows of a file: how unlike the training data are they?"),
    "sample": ("vaehub.commands.use:sample", "Draw new rows from the prior."),
    "encode": ("vaehub.commands.use:encode", "Write the codes of the rows of a file."),
    "decode": ("vaehub.commands.use:decode", "Write the rows of a file of codes."),
    "reconstruct": ("vaehub.commands.use:reconstruct", "Encode and decode the rows of a file."),
    "interpolate": ("vaehub.commands.use:interpolate", "Walk in latent space from one row of a file to another."),
    "plugins": ("vaehub.commands.extend:plugins", "List the plugins: version, status, components."),
    "new": ("vaehub.commands.extend:new", "Write a working plugin package to start from."),
    "check": ("vaehub.commands.extend:check", "Test the components of a plugin for what the engine relies on."),
}
