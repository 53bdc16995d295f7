"""What the peers do, run by their own interpreter: `python peers.py TASK FILE.npz key=value …` prints one line of JSON.

Needs requirements-peers.txt and not vaehub. FILE holds `train` and `test` (N, 784) float32 in [0, 1], and weights for `pythae_nll`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from itertools import pairwise

import numpy as np

HIDDEN = (512, 256)


def keras(arrays, epochs: int, latent: int = 2, batch_size: int = 128) -> dict:
    """The model of the Keras tutorial "Variational AutoEncoder" (Chollet, 2020), keras.io, with an MLP: fit, then the bound on the test."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    import keras
    from keras import layers, ops

    class VAE(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.draw = keras.random.SeedGenerator(0)
            self.encoder = keras.Sequential([*(layers.Dense(n, "relu") for n in HIDDEN), layers.Dense(2 * latent)])
            self.decoder = keras.Sequential([*(layers.Dense(n, "relu") for n in reversed(HIDDEN)), layers.Dense(784, "sigmoid")])

        def call(self, x):
            mean, log_var = ops.split(self.encoder(x), 2, axis=-1)
            z = mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.draw)
            self.add_loss(-0.5 * ops.mean(ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), -1)))
            return self.decoder(z)

    def cross_entropy(x, p):
        return 784 * keras.losses.binary_crossentropy(x, p)

    clock = Clock(keras.callbacks.Callback)
    started = time.perf_counter()
    keras.utils.set_random_seed(0)
    vae = VAE()
    vae.compile(keras.optimizers.Adam(), cross_entropy)
    vae.fit(arrays["train"], arrays["train"], epochs=epochs, batch_size=batch_size, verbose=0, callbacks=[clock.callback])
    seconds = time.perf_counter() - started
    mean, log_var = np.split(vae.encoder.predict(arrays["test"], verbose=0).astype(np.float64), 2, axis=-1)
    probability = lambda z: vae.decoder.predict(z, verbose=0, batch_size=1000)  # noqa: E731
    return {"seconds": seconds, "epoch_seconds": clock.epochs, "loss": bound(arrays["test"], mean, log_var, probability)}


class Clock:
    """Seconds of every epoch, by a callback of the peer's own class."""

    def __init__(self, base: type) -> None:
        self.epochs: list[float] = []
        self.started = 0.0
        owner = self

        class Callback(base):
            def on_epoch_begin(self, *_, **__) -> None:
                owner.started = time.perf_counter()

            def on_epoch_end(self, *_, **__) -> None:
                owner.epochs.append(time.perf_counter() - owner.started)

        self.callback = Callback()


def pythae_vae(latent: int, hidden: tuple[int, ...]):
    """A pythae VAE whose networks are the same MLP."""
    import torch
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from torch import nn

    def mlp(*sizes: int) -> nn.Sequential:
        return nn.Sequential(*[layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())][:-1])

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(784, *hidden, 2 * latent)

        def forward(self, x):
            mean, log_var = self.net(x.flatten(1)).chunk(2, -1)
            return ModelOutput(embedding=mean, log_covariance=log_var)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(latent, *reversed(hidden), 784)

        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))

    torch.manual_seed(0)
    config = VAEConfig(input_dim=(784,), latent_dim=latent, reconstruction_loss="bce")
    return VAE(config, encoder=Encoder(), decoder=Decoder())


def pythae(arrays, epochs: int, latent: int = 2, batch_size: int = 128) -> dict:
    """pythae's BaseTrainer as its README uses it: train, then the bound on the test."""
    import torch
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    vae, clock = pythae_vae(latent, HIDDEN), Clock(TrainingCallback)
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder, num_epochs=epochs, learning_rate=1e-3, per_device_train_batch_size=batch_size
        )
        started = time.perf_counter()
        TrainingPipeline(vae, training_config=config)(arrays["train"], callbacks=[clock.callback])
        seconds = time.perf_counter() - started
    vae = vae.cpu().eval()
    with torch.no_grad():
        code = vae.encoder(torch.from_numpy(arrays["test"]))
        probability = lambda z: vae.decoder(torch.from_numpy(z).float()).reconstruction.numpy()  # noqa: E731
        loss = bound(arrays["test"], code.embedding.double().numpy(), code.log_covariance.double().numpy(), probability)
    return {"seconds": seconds, "epoch_seconds": clock.epochs, "loss": loss}


def pythae_nll(arrays, samples: int, rows: int, latent: int, hidden: str) -> dict:
    """pythae's get_nll on the first rows of the test, with the weights in FILE."""
    import torch

    vae = pythae_vae(latent, tuple(map(int, hidden.split(",")))).eval()
    names = [f"{part}.net.{n}" for part in ("encoder", "decoder") for n in dict(getattr(vae, part).net.named_parameters())]
    vae.load_state_dict({name: torch.from_numpy(arrays[name]) for name in names})
    x = torch.from_numpy(arrays["test"][:rows])
    started = time.perf_counter()
    with torch.no_grad():
        nll = -vae.get_nll(x, n_samples=samples)
    return {"seconds": time.perf_counter() - started, "nll": float(nll)}


def bound(x: np.ndarray, mean: np.ndarray, log_var: np.ndarray, probability, draws: int = 10) -> float:
    """Bernoulli cross-entropy + KL in nats per image, `draws` z an image."""
    noise, total = np.random.default_rng(0), 0.0
    for _ in range(draws):
        p = probability(mean + np.exp(0.5 * log_var) * noise.standard_normal(mean.shape)).astype(np.float64).clip(1e-7, 1 - 1e-7)
        total -= (x * np.log(p) + (1 - x) * np.log1p(-p)).sum(1).mean() / draws
    return float(total + 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(1).mean())


def main() -> None:
    """Run one task."""
    task, file, *options = sys.argv[1:]
    pairs = (option.split("=") for option in options)
    with np.load(file) as arrays:
        result = {"keras": keras, "pythae": pythae, "pythae_nll": pythae_nll}[task](
            dict(arrays), **{key: int(value) if value.isdigit() else value for key, value in pairs}
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
