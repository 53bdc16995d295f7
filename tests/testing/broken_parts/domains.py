"""Domains: forty rows of three numbers, each with one thing wrong."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import torch

from broken_parts.faults import fails
from vaehub.base import Codec, Domain, Spec
from vaehub.data.rows import TensorData
from vaehub.errors import UsageError

PARTS = {"train": slice(0, 20), "val": slice(20, 30), "test": slice(30, 40)}


class FortyCodec(Codec):
    """Arrays of three numbers; the intact codec."""

    classes = ("low", "high")

    def read(self, path: Path):
        try:
            return TensorData(torch.from_numpy(np.load(path)))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: {error}") from error

    def write(self, x, path: Path):
        if path.suffix != ".npy":
            raise UsageError(f"{path}: give a name that ends in .npy")
        np.save(path, x.numpy())

    def condition(self, values):
        return torch.nn.functional.one_hot(torch.tensor(self.classes.index(values[0])), 2).float()

    def to_json(self):
        return {"classes": list(self.classes)}

    @classmethod
    def from_json(cls, spec, state):
        codec = cls(spec)
        codec.classes = tuple(state["classes"])
        return codec


class Forty(Domain[FortyCodec]):
    """Two classes of 20 rows; the intact domain."""

    codec_type = FortyCodec

    def learn(self):
        return self.codec_type(Spec((3,), cond=2))

    def rows(self):
        generator = torch.Generator().manual_seed(0)
        labels = torch.arange(40) % 2
        return torch.randn(40, 3, generator=generator) + labels.unsqueeze(1), labels

    def data(self, split):
        x, labels = (t[PARTS[split]] for t in self.rows())
        return TensorData(x, torch.nn.functional.one_hot(labels, 2).float(), None, labels)


@fails("constructor_reads_nothing")
class Eager(Forty):
    """Reads a file as soon as it is built."""

    def __init__(self):
        with open(__file__) as file:
            self.text = file.read()


@fails("sample_is_at_hand_offline")
class Downloads(Forty):
    """Fetches its rows from elsewhere."""

    def data(self, split):
        socket.create_connection(("localhost", 9), timeout=1).close()
        return super().data(split)


@fails("sample_is_at_hand_offline")
class NoTestRows(Forty):
    """The test split is empty."""

    def data(self, split):
        return TensorData(super().data(split)[torch.arange(0 if split == "test" else 10)].x)


@fails("rows_fit_the_spec")
class OtherShape(Forty):
    """The spec speaks of other rows."""

    def learn(self):
        return FortyCodec(Spec((4,), cond=2))


@fails("values_are_valid")
class Gaps(Forty):
    """Holes without a mask."""

    def rows(self):
        x, labels = super().rows()
        return x.where(x < 2, float("nan")), labels


@fails("labels_are_valid")
class Unnamed(Forty):
    """More labels than names."""

    def data(self, split):
        data = super().data(split)
        data.labels = data.labels + 1
        return data


@fails("splits_are_reproducible")
class Shuffles(Forty):
    """Splits by whatever state the random numbers are in."""

    def rows(self):
        x, labels = super().rows()
        order = torch.randperm(40)
        return x[order], labels[order]


class Noisy(TensorData):
    """Rows with fresh noise at every fetch."""

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        return batch._replace(x=batch.x + torch.randn_like(batch.x))


@fails("evaluation_rows_are_fixed")
class AugmentsTest(Forty):
    """Augments the rows that it is judged by."""

    def data(self, split):
        return Noisy(*super().data(split).rows)


@fails("splits_are_disjoint")
class Leaks(Forty):
    """Two validation rows were trained on."""

    def data(self, split):
        x = self.rows()[0]
        return TensorData(x[{"train": slice(0, 22)}.get(split, PARTS[split])])


class Sorted(TensorData):
    """Rows in the order of the file, whatever was asked for."""

    def __getitem__(self, index):
        return super().__getitem__(index.sort().values)


@fails("batch_equals_its_rows")
class LosesOrder(Forty):
    """A batch is not in the order that was asked for."""

    def data(self, split):
        return Sorted(*super().data(split).rows)


class Stays(TensorData):
    """Moves no row."""

    def to(self, device):
        return self.rows


@fails("rows_move_to_a_device")
class DoesNotMove(Forty):
    """`to` gives something else than data."""

    def data(self, split):
        return Stays(*super().data(split).rows)


class WritesScaledCodec(FortyCodec):
    """Writes in another unit than it reads."""

    def write(self, x, path):
        super().write(2 * x, path)


@fails("written_rows_read_back")
class WritesScaled(Forty):
    """Writes in another unit than it reads."""

    codec_type = WritesScaledCodec


class RoundsFilesCodec(FortyCodec):
    """Rounds what it reads from files, and not what comes from memory."""

    def read(self, path):
        return TensorData(super().read(path).rows.x.round(decimals=3))


@fails("files_and_arrays_are_converted_alike")
class RoundsFiles(Forty):
    """Rounds what it reads from files, and not what comes from memory."""

    codec_type = RoundsFilesCodec


class RaisesWhatComesCodec(FortyCodec):
    """Lets every error through to the user."""

    def read(self, path):
        return TensorData(torch.from_numpy(np.load(path)))


@fails("missing_file_is_named", "damaged_file_is_named")
class RaisesWhatComes(Forty):
    """Lets every error through to the user."""

    codec_type = RaisesWhatComesCodec


class StateOfTensorsCodec(FortyCodec):
    """Keeps a tensor in what it saves."""

    def to_json(self):
        return {"classes": list(self.classes), "mean": torch.zeros(3)}


@fails("codec_is_json")
class StateOfTensors(Forty):
    """Keeps a tensor in what it saves."""

    codec_type = StateOfTensorsCodec


class ForgetsStateCodec(FortyCodec):
    """Takes nothing up."""

    @classmethod
    def from_json(cls, spec, state):
        codec = cls(spec)
        codec.classes = ()
        return codec


@fails("codec_comes_back_without_data")
class ForgetsState(Forty):
    """Takes nothing up."""

    codec_type = ForgetsStateCodec


class KeepsItsScaleToItselfCodec(FortyCodec):
    """Has learnt a unit from its training data that it does not save."""

    unit = 1.0

    def write(self, x, path):
        super().write(x / self.unit, path)

    def read(self, path):
        return TensorData(super().read(path).rows.x * self.unit)


@fails("restored_reads_the_same")
class KeepsItsScaleToItself(Forty):
    """Has learnt a unit from its training data that it does not save."""

    codec_type = KeepsItsScaleToItselfCodec

    def learn(self):
        codec = super().learn()
        codec.unit = 2.0
        return codec


class ScalarConditionCodec(FortyCodec):
    """Gives the number of the class."""

    def condition(self, values):
        return torch.tensor(self.classes.index(values[0]))


@fails("condition_has_the_width_of_spec")
class ScalarCondition(Forty):
    """Gives the number of the class."""

    codec_type = ScalarConditionCodec


class FromFileOnly(Forty):
    """Rows from a file that the user names; nothing to check it with."""

    def __init__(self, *, path: str):
        self.path = Path(path)

    def rows(self):
        return self.codec.read(self.path).rows.x, torch.arange(40) % 2


class FromFile(FromFileOnly):
    """Rows from a file that the user names, and an example of one."""

    @staticmethod
    def example(folder):
        np.save(folder / "rows.npy", Forty().rows()[0].numpy())
        return {"path": str(folder / "rows.npy")}
