"""Rows of different length, targets beside x, and what a domain says and leaves of its rows."""

from __future__ import annotations

import torch

import vaehub
from vaehub.base import Batch
from vaehub.cli.app import main
from vaehub.config.build import build_domain
from vaehub.config.load import load_config
from vaehub.data.order import Order
from vaehub.data.rows import Conditioned, Subset, TensorData
from vaehub.model.vae import repeat


class Ragged(TensorData):
    """103 rows whose length is known."""

    def __init__(self):
        super().__init__(torch.arange(103.0).unsqueeze(1))
        self.lengths = torch.randint(1, 60, (103,), generator=torch.Generator().manual_seed(0))


def order(data, **options):
    return Order(data, 10, seed=3, **options)


def test_rows_of_like_length_share_batches_and_all_are_visited():
    data = Ragged()
    batches = list(order(data))
    assert len(batches) == len(order(data)) == 11
    assert torch.cat(batches).sort().values.tolist() == list(range(103))
    spread = [int(data.lengths[b].max() - data.lengths[b].min()) for b in batches]
    plain = [int(data.lengths[b].max() - data.lengths[b].min()) for b in order(TensorData(data.rows.x))]
    assert sum(spread) < sum(plain) / 3


def test_batches_come_in_random_order_that_the_seed_and_epoch_decide():
    data = Ragged()
    longest = [int(data.lengths[b].max()) for b in order(data)]
    assert longest != sorted(longest)
    assert all(torch.equal(a, b) for a, b in zip(order(data), order(data), strict=True))
    assert not torch.equal(torch.cat(list(order(data))), torch.cat(list(order(data, epoch=lambda: 1))))


def test_validation_keeps_the_order_of_the_rows():
    assert torch.cat(list(order(Ragged(), shuffle=False))).tolist() == list(range(103))


def test_views_keep_lengths():
    data = Ragged()
    assert torch.equal(Subset(data, torch.tensor([4, 2])).lengths, data.lengths[[4, 2]])
    assert torch.equal(Conditioned(data, torch.zeros(103, 1)).lengths, data.lengths)


def test_targets_go_along_with_their_rows():
    data = TensorData(torch.arange(6.0).unsqueeze(1), y=10 * torch.arange(6.0).unsqueeze(1))
    batch = data.to("cpu")[torch.tensor([5, 1])]
    assert batch.y.flatten().tolist() == [50, 10]
    assert repeat(batch, 2).y.flatten().tolist() == [50, 10, 50, 10]
    assert Batch(torch.zeros(2, 1)).map(lambda t: t + 1).y is None


def test_a_domain_leaves_something_in_the_folder_and_has_a_word_on_samples(small, tmp_path, monkeypatch, capsys):
    config = load_config(small(train={"epochs": 1}))
    domain = build_domain(config)
    cls = type(domain)
    monkeypatch.setattr(cls, "record", lambda self, folder: (folder / "left.txt").write_text("two rows left out"))
    monkeypatch.setattr(cls.codec_type, "preview", lambda self, x: f"{len(x)} drawn")
    run = vaehub.train(config, out=tmp_path / "run")
    assert (run.path / "left.txt").read_text() == "two rows left out"
    assert main(["sample", str(run.path), "-n", "3", "-o", str(tmp_path / "x.npy")]) == 0
    assert "3 drawn" in capsys.readouterr().out
