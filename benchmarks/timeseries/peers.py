"""What the peers do, run by their own interpreter: `python peers.py MODEL FOLDER key=value …` prints one line of JSON.

Needs requirements-peers.txt and not vaehub. FOLDER/arrays.npz holds `train` and `test` (N, T, D), NaN = missing; FOLDER/imputed.npy is written.
Hyper-parameters: TSI-Bench's hpo_results/italy_air.py (GitHub WenjieDu/Awesome_Imputation); its file for ETTh1 is empty, so both data sets get these.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

EXTRA = 0.1  # of the observed cells of the validation windows are hidden from the model, as ground truth


def gpvae(steps: int, features: int, **options):
    """PyPOTS' GP-VAE."""
    from pypots.imputation import GPVAE
    from pypots.optim import Adam

    sizes = {"latent_size": 7, "encoder_sizes": (256, 256), "decoder_sizes": (128, 128), "window_size": 12}
    kernel = {"beta": 0.2, "sigma": 1.005, "length_scale": 7}
    return GPVAE(n_steps=steps, n_features=features, **sizes, **kernel, optimizer=Adam(lr=0.0027439821888071963), **options)


def saits(steps: int, features: int, **options):
    """PyPOTS' SAITS; it resets d_model = 64 to n_heads * d_k = 1024 with a warning, which gives the 16.6 M parameters of the published log."""
    from pypots.imputation import SAITS
    from pypots.optim import Adam

    sizes = {"n_layers": 3, "d_model": 64, "n_heads": 8, "d_k": 128, "d_v": 32, "d_ffn": 64, "dropout": 0.1, "attn_dropout": 0.2}
    return SAITS(n_steps=steps, n_features=features, **sizes, optimizer=Adam(lr=7.565260478606772e-05), **options)


def validation(train: np.ndarray) -> tuple[dict, dict | None]:
    """Every fifth training window validates, with EXTRA of its cells hidden; the others train. Without a fifth, nothing validates."""
    held = np.arange(len(train)) % 5 == 4
    if not held.any():
        return {"X": train}, None
    truth = train[held]
    hide = np.random.default_rng(0).random(truth.shape) < EXTRA
    return {"X": train[~held]}, {"X": np.where(hide, np.nan, truth), "X_ori": truth}


def run(name: str, arrays, epochs: int, patience: int) -> tuple[np.ndarray, dict]:
    """Fit and impute as TSI-Bench's train_model.py does: the mean of ten `samples` for GP-VAE."""
    from pypots.utils.random import set_random_seed

    set_random_seed(0)
    train, test = arrays["train"], arrays["test"]
    started, cpu = time.perf_counter(), time.process_time()
    options = {"epochs": epochs, "patience": patience or None, "batch_size": 32, "device": "cpu", "verbose": True}
    model = {"gpvae": gpvae, "saits": saits}[name](train.shape[1], train.shape[2], **options)
    fit_set, val_set = validation(train)
    model.fit(fit_set, val_set)
    fitted = time.perf_counter() - started
    more = {"n_sampling_times": 10} if name == "gpvae" else {}
    imputed = np.asarray(model.predict({"X": test}, **more)["imputation"])
    took = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "fit_seconds": fitted}
    parameters = sum(p.numel() for p in model.model.parameters() if p.requires_grad)
    return imputed.mean(1) if more else imputed, {**took, "parameters": parameters}


def main() -> None:
    """Run one peer."""
    name, folder, *options = sys.argv[1:]
    pairs = (option.split("=") for option in options)
    with np.load(Path(folder) / "arrays.npz") as arrays:
        imputed, result = run(name, dict(arrays), **{key: int(value) for key, value in pairs})
    np.save(Path(folder) / "imputed.npy", imputed)
    print(json.dumps({**result, "versions": {package: version(package) for package in ("pypots", "torch")}}))


if __name__ == "__main__":
    main()
