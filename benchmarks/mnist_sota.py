"""configs/mnist_sota.yaml within a time: its bound on validation images against the seconds trained, and -log p(x) of test images at the end.

The number of epochs, and with it the schedules of the rate and of the KL term, is chosen from the time that the first epochs take.
"""

from __future__ import annotations

import argparse
import sys

import torch
from common import CONFIGS, row

import vaehub
from vaehub.config.load import load_config
from vaehub.data.rows import Subset
from vaehub.evaluation.evaluate import figures_of
from vaehub.evaluation.importance import evidence

CONFIG = CONFIGS / "mnist_sota.yaml"
TRIAL = 3  # epochs that are timed first; the first of them is left out
WARMUP = 0.25  # share of the epochs over which the KL term comes in, at most as many as the config says


def shortened(seconds: float, overrides: list[str]) -> list[str]:
    """Overrides under which training takes about so many seconds."""
    trial = [*overrides, f"train.epochs={TRIAL}", f"train.validate_every={TRIAL}", "train.score_rows=0"]
    run = vaehub.train(CONFIG, trial, progress=False)
    ends = run.history.seconds
    per_epoch = (ends.iloc[-2] - ends.iloc[0]) / (TRIAL - 2)  # the last epoch has the validation in it
    whole = load_config(CONFIG, overrides)
    epochs = max(1, min(whole.train.epochs, int(seconds / per_epoch)))
    warmup = max(1, min(whole.objective.plain()["warmup"], int(WARMUP * epochs)))
    row("epochs that fit", f"{per_epoch:.2f} s each", epochs, "")
    return [f"train.epochs={epochs}", f"objective.warmup={warmup}", f"train.validate_every={max(1, epochs // 8)}"]


def main() -> None:
    """Train for a while, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accelerator", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--seconds", type=float, help="of training; without it, as many epochs as the config says")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rows", type=int, help="of the test images; all by default")
    parser.add_argument("--out", help="keep the run here")
    parser.add_argument("overrides", nargs="*", help="key=value changes to configs/mnist_sota.yaml")
    options = parser.parse_args()
    if options.accelerator == "gpu" and not torch.cuda.is_available():
        sys.exit("no GPU here: not measured; --accelerator cpu trains on the CPU")
    overrides = [f"trainer.accelerator={options.accelerator}", *options.overrides]
    row("what", "trained s", "epochs", "nats")
    row(*["---"] * 4)
    changes = shortened(options.seconds, overrides) if options.seconds else []
    run = vaehub.train(CONFIG, [*overrides, *changes, "train.score_rows=0"], options.out, progress=False)
    for epoch in run.history.dropna(subset="val_elbo").itertuples():
        row("-ELBO, validation", epoch.seconds, int(epoch.epoch) + 1, -epoch.val_elbo)
    run.to("cuda" if options.accelerator == "gpu" else "cpu")
    test = run.data("test")
    rows = Subset(test, torch.arange(min(options.rows or len(test), len(test))))
    figures = figures_of(evidence(run.vae, rows, options.samples, precision=torch.bfloat16))
    last = run.history.iloc[-1]
    row(f"NLL, test, {options.samples} samples", last.seconds, int(last.epoch) + 1, figures["nll"])
    row("-ELBO, test", last.seconds, int(last.epoch) + 1, -figures["elbo"])


if __name__ == "__main__":
    main()
