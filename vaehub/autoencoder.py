"""A scikit-learn estimator: a VAE for a matrix of numbers, in one line. Imported on first use of `vaehub.Autoencoder`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from vaehub.errors import UsageError

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_array, check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise UsageError("vaehub.Autoencoder needs scikit-learn: pip install 'vaehub[sklearn]'") from error

from vaehub.arrays.codec import ArrayCodec
from vaehub.convert import Array
from vaehub.evaluation.score import raw_scores
from vaehub.run import Run
from vaehub.training.fit import train

DRAWS = 32  # of z for the bound of a row
STEPS, LEAST_EPOCHS, VALIDATIONS = 1000, 10, 50  # where the user names no number of epochs
LARGEST_SEED = 2**31 - 1


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A variational autoencoder for rows of numbers, as an estimator: "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014).

    Real-valued columns are standardised inside, and everything comes back in the units of the data. NaN is a missing value: it is left
    out of the bound and filled in by `inverse_transform(transform(X))`.

    Arguments:
        latent: number of codes L a row.
        likelihood: p(x|z), by name: normal, student_t, laplace, bernoulli (0 to 1), poisson or negative_binomial (counts), …
        hidden: widths of the encoder's layers; the decoder has them in reverse.
        epochs: passes over the rows; the epoch with the best bound on the validation rows is kept. None: as many as make 1,000 steps,
            and 10 at the least.
        batch_size: rows a step.
        lr: learning rate of Adam at the start; it falls to 0 along a cosine.
        validation: share of the rows, chosen at random, by which epochs are compared.
        overrides: `key.sub=value`, for everything else a config can say: ("prior=vamp", "objective.beta=4").
        verbose: print a line an epoch.
        random_state: seed, for results that repeat.

    Attributes:
        run_: the trained `vaehub.Run`; `run_.history` has the figures of every epoch, `run_.save(path)` writes the model.
        n_features_in_, feature_names_in_: as in scikit-learn.

    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> model = Autoencoder(latent=2, epochs=5, random_state=0).fit(X)
    >>> model.transform(X).shape, model.sample(3).shape, model.score_samples(X).shape
    ((150, 2), (3, 4), (150,))
    """

    def __init__(
        self,
        latent: int = 8,
        *,
        likelihood: str = "normal",
        hidden: Sequence[int] = (128, 64),
        epochs: int | None = None,
        batch_size: int = 64,
        lr: float = 5e-3,
        validation: float = 0.1,
        overrides: Sequence[str] = (),
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.latent, self.likelihood, self.hidden = latent, likelihood, hidden
        self.epochs, self.batch_size, self.lr, self.validation = epochs, batch_size, lr, validation
        self.overrides, self.verbose, self.random_state = overrides, verbose, random_state

    def fit(self, X: Any, y: Any = None) -> Autoencoder:
        """Learn from rows X (N, D), dense or sparse. Raises UsageError where they do not fit the likelihood."""
        rows = validate_data(self, X, accept_sparse="csr", ensure_all_finite="allow-nan", ensure_min_samples=2)
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        self.run_: Run = train(self._config(seed, rows.shape[0]), tuple(self.overrides), data=rows, progress=self.verbose)
        self.run_.vae.double()  # so that a row's code is the same in every batch, to more digits than anybody reads
        self.run_.domain.forget()  # type: ignore[attr-defined]  # data= goes with the domain arrays alone
        self._n_features_out = self.run_.config.latent
        return self

    def transform(self, X: Any) -> Array:
        """The means of q(z|x): (N, L)."""
        rows = self._rows(X)
        return self.run_.encode(rows).astype(rows.dtype if rows.dtype.kind == "f" else np.float64)

    def inverse_transform(self, X: Any) -> Array:
        """E[x|z] for codes (N, L): (N, D)."""
        check_is_fitted(self)
        return self.run_.decode(check_array(X))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Array:
        """New rows (n_samples, D): z from the prior, x from p(x|z)."""
        check_is_fitted(self)
        return self.run_.sample(n_samples, seed=int(check_random_state(random_state).randint(LARGEST_SEED)), noise=True)

    def score_samples(self, X: Any) -> Array:
        """A lower bound on log p(x) of every row (N,), in nats and in the units of the data; of a row with gaps, on that of what is there.

        log 1/S sum_s p(x,z_s) / q(z_s|x), S = 32: "Importance Weighted Autoencoders" (Burda et al., 2016), arXiv:1509.00519.
        """
        data = self.run_.rows(self._rows(X))
        mask = data[torch.arange(len(data))].mask
        scale = self._codec.layout.log_scale(mask, len(data))
        return np.asarray(-raw_scores(self.run_.vae, data, DRAWS, seed=0)["iw"] - scale)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `score_samples`, by which a search over parameters compares models."""
        return float(self.score_samples(X).mean())

    def _rows(self, X: Any) -> Any:
        check_is_fitted(self)
        return validate_data(self, X, accept_sparse="csr", ensure_all_finite="allow-nan", reset=False)

    @property
    def _codec(self) -> ArrayCodec:
        assert isinstance(self.run_.codec, ArrayCodec)  # data= goes with no other
        return self.run_.codec

    def _config(self, seed: int, rows: int) -> dict[str, Any]:
        hidden, epochs, every = [int(width) for width in self.hidden], self.epochs, 1
        if epochs is None:
            batches = math.ceil(rows * (1 - self.validation) / self.batch_size)
            every = max(1, STEPS // batches // VALIDATIONS)
            epochs = every * max(LEAST_EPOCHS, math.ceil(STEPS / batches / every))
        return {
            "domain": {"name": "arrays", "validation": self.validation, "test": 0.0, "seed": seed},
            "latent": self.latent,
            "likelihood": self.likelihood,
            "encoder": {"name": "mlp", "hidden": hidden},
            "decoder": {"name": "mlp", "hidden": hidden[::-1]},
            "optimizer": {"lr": self.lr},
            "train": {
                "epochs": epochs,
                "validate_every": every,
                "batch_size": self.batch_size,
                "seed": seed,
                "score_rows": 0,
            },
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
