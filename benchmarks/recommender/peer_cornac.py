"""cornac's Mult-VAE, run by the interpreter of the peers' environment: `python peer_cornac.py FOLDER [epochs=100] [queries=200]`.

Needs requirements-peers.txt and not vaehub. FOLDER holds train.npz, val.npz and test.npz, scipy CSR of users x items: what is trained on and
what held-out users are known by. Writes FOLDER/top_val.npy and top_test.npy (epochs + 1, users, 100), the items that it ranks first after
every epoch, seen ones excluded, and prints one line of JSON.

Its public API refuses users that it was not trained on, so held-out users go through its network: the mean of `vae.encode`, `vae.decode`.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from cornac.data import Dataset
from cornac.models import VAECF

K = 100
PAPER = {"k": 200, "autoencoder_structure": [600], "act_fn": "tanh", "likelihood": "mult"}
TRAINING = {"batch_size": 500, "learning_rate": 1e-3, "beta": 0.2, "seed": 42, "use_gpu": False}


class Watch:
    """A clock for training that stands still while the held-out users are ranked, which cornac itself never does."""

    def __init__(self, model: VAECF, held_out: dict[str, sp.csr_array]) -> None:
        self.model, self.held_out = model, held_out
        self.tops: dict[str, list[np.ndarray]] = {name: [] for name in held_out}
        self.times: list[np.ndarray] = []  # wall and CPU seconds of training so far, for every epoch
        self.started = clocks()

    def epoch(self) -> None:
        """Note the times and the rankings as they are now."""
        paused = clocks()
        self.times.append(paused - self.started)
        for name, rows in self.held_out.items():
            self.tops[name].append(ranked(self.model.vae, rows))
        self.started += clocks() - paused


def clocks() -> np.ndarray:
    """Wall and CPU seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def ranked(vae: torch.nn.Module, rows: sp.csr_array) -> np.ndarray:
    """The K best unseen items (users, K) for the histories `rows`."""
    with torch.no_grad():
        seen = torch.from_numpy(rows.toarray())
        scores = vae.decode(vae.encode(seen)[0]).masked_fill_(seen > 0, -1.0)
        return scores.topk(K).indices.numpy().astype(np.int32)


def dataset(train: sp.csr_array) -> Dataset:
    """The training pairs as cornac wants them, items numbered by their columns."""
    users, items = (positions.tolist() for positions in train.nonzero())
    columns = {item: item for item in range(train.shape[1])}
    return Dataset.build([(user, item, 1.0) for user, item in zip(users, items, strict=True)], global_iid_map=columns)


def fit(train: Dataset, held_out: dict[str, sp.csr_array], epochs: int) -> tuple[VAECF, Watch]:
    """The trained model; cornac asks for the batches of an epoch by `user_iter`, which is when the watch looks."""
    model = VAECF(**PAPER, **TRAINING, n_epochs=epochs)
    watch, batches = Watch(model, held_out), train.user_iter

    def user_iter(*arguments, **options):
        watch.epoch()
        return batches(*arguments, **options)

    train.user_iter = user_iter
    model.fit(train)
    watch.epoch()
    train.user_iter = batches
    return model, watch


def users_per_second(model: VAECF, train: Dataset, queries: int) -> list[float]:
    """By wall and by CPU time, of `recommend`, which takes one user at a time: the best K with seen items removed."""
    users = list(train.uid_map)[:queries]
    started = clocks()
    for user in users:
        model.recommend(user, k=K, remove_seen=True, train_set=train)
    speeds: list[float] = (len(users) / (clocks() - started)).tolist()
    return speeds


def main() -> None:
    """Train, rank after every epoch, time the recommendations."""
    folder = Path(sys.argv[1])
    options = {"epochs": 100, "queries": 200} | {key: int(value) for key, value in (given.split("=") for given in sys.argv[2:])}
    train = dataset(sp.load_npz(folder / "train.npz"))
    held_out = {name: sp.load_npz(folder / f"{name}.npz").astype(np.float32) for name in ("val", "test")}
    model, watch = fit(train, held_out, options["epochs"])
    for name, tops in watch.tops.items():
        np.save(folder / f"top_{name}.npy", np.stack(tops))
    seconds, cpu = np.stack(watch.times).T.tolist()
    speed = users_per_second(model, train, options["queries"])
    versions = {package: version(package) for package in ("cornac", "torch")}
    print(json.dumps({"seconds": seconds, "cpu": cpu, "users_per_second": speed, "threads": torch.get_num_threads(), **versions}))


if __name__ == "__main__":
    main()
