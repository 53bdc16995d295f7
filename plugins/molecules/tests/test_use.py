"""Neighbours, ways, reconstructions and counts of a trained model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import vaehub
from vaehub.errors import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub.testing.damage import damaged
from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.use.counts import SampleCounts, count_samples, describe_samples
from vaehub_molecules.use.interpolate import great_circle, interpolate
from vaehub_molecules.use.neighbours import by_fingerprint, neighbours
from vaehub_molecules.use.reconstruct import reconstruct, similarity


@pytest.fixture(scope="module")
def train(space):
    return space.domain.train["smiles"].tolist()


def test_counts_tell_invalid_repeated_and_known_apart():
    texts = ["CCO", "OCC", "C1CC", "", "c1ccccc1", "CCN"]
    assert count_samples(texts, HashedSet.of(["CCO"])) == SampleCounts(drawn=6, valid=4, unique=3, novel=2)
    assert describe_samples(texts, HashedSet.of(["CCO"])) == "6 drawn, 4 valid (66.7%), 3 unique (75.0%), 2 novel (66.7%)"


def test_counts_of_nothing_valid():
    assert describe_samples(["(", ""], HashedSet.of(["C"])) == "2 drawn, 0 valid (0.0%), 0 unique, 0 novel"


def test_neighbours_are_the_nearest_without_the_molecule_itself(space, train):
    query = train[3]
    frame = neighbours(space, [query], train, 4)
    assert frame.groupby("by")["rank"].agg(list).to_dict() == {"code": [1, 2, 3, 4], "fingerprint": [1, 2, 3, 4]}
    assert query not in set(frame["smiles"])
    codes = space.encode(train)
    distance = (codes - codes[3]).norm(dim=1)
    distance[3] = torch.inf
    assert train[int(distance.argmin())] == frame.loc[0, "smiles"]
    assert frame.loc[0, "value"] == pytest.approx(float(distance.min()), abs=1e-3)
    alike = tanimoto(fingerprints([query]), fingerprints(train))[0]
    alike[3] = -1
    assert frame.query("by == 'fingerprint'")["value"].iloc[0] == pytest.approx(alike.max())


def test_neighbours_in_blocks_are_those_of_all_at_once(train, monkeypatch):
    rows, alike = by_fingerprint(train[:3], train, 5)
    monkeypatch.setattr("vaehub_molecules.use.neighbours.BLOCK", 7)
    again, same = by_fingerprint(train[:3], train, 5)
    np.testing.assert_array_equal(rows, again)
    np.testing.assert_array_equal(alike, same)


def test_neighbours_need_molecules_that_the_model_can_read(space):
    with pytest.raises(UsageError, match="no molecule to search"):
        neighbours(space, ["CCO"], ["[Au]"], 3)
    with pytest.raises(UsageError, match="Au"):
        neighbours(space, ["[Au]"], ["CCO", "CCN"], 1)


def test_fewer_molecules_than_asked_for(space, train):
    assert len(neighbours(space, [train[0]], train[:3], 10)) == 4


def test_a_way_starts_and_ends_at_its_molecules_and_has_no_twice(space, train):
    way = interpolate(space, train[0], train[-1], 6)
    assert way["smiles"].iloc[0] == train[0]
    assert way["smiles"].iloc[-1] == train[-1]
    assert 2 <= len(way) <= 6
    assert way["smiles"].is_unique
    assert way["at"].is_monotonic_increasing
    assert way["to_first"].iloc[0] == way["to_last"].iloc[-1] == 1


def test_a_way_from_a_molecule_to_itself(space, train):
    assert set(interpolate(space, train[0], train[0], 3)["smiles"]) >= {train[0]}


def test_a_way_needs_two_steps(space, train):
    with pytest.raises(UsageError, match="at least 2, got 1"):
        interpolate(space, train[0], train[1], 1)


def test_an_arc_keeps_the_length_of_codes():
    a, b = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0])
    points = great_circle(a, b, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(points[[0, 2]], torch.stack([a, b]))
    assert points[1].norm() == pytest.approx(2.0)


@pytest.mark.parametrize(
    "b", [torch.zeros(2), torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 0.0])], ids=["zero", "same", "opposite"]
)
def test_an_arc_without_a_circle_is_a_line(b):
    a = torch.tensor([1.0, 0.0])
    points = great_circle(a, b, torch.tensor([0.0, 0.5, 1.0]))
    assert points.isfinite().all()
    if b.norm() != 1:
        torch.testing.assert_close(points[1], (a + b) / 2)


def test_reconstructions_are_marked(space, train):
    frame = reconstruct(space, train[:20])
    assert frame["smiles"].tolist() == train[:20]
    assert frame["returned"].tolist() == space.molecules(space.encode(train[:20]))
    assert (frame["exact"] == (frame["smiles"] == frame["returned"])).all()
    assert (frame.loc[frame["exact"], "similarity"] == 1).all()
    assert frame.loc[frame["returned"] == "", "similarity"].eq(0).all()


def test_a_reconstruction_of_what_is_not_known_names_it(space):
    with pytest.raises(UsageError, match="Au"):
        reconstruct(space, ["[Au]"])


def test_similarity_of_molecules():
    assert similarity("CCO", "OCC") == 1
    assert 0 < similarity("CCO", "CCN") < 1


@pytest.mark.slow
def test_every_json_type_at_every_place_of_the_header_is_one_line_or_a_model(run, tmp_path):
    weights, header = load_model(run.path / "model.safetensors")
    complaints = []
    for _, other in damaged(header["codec"]):
        save_model(tmp_path / "m", weights, header | {"codec": other})
        try:
            vaehub.load(tmp_path / "m")
        except UsageError as error:
            complaints.append(str(error))
    assert len(complaints) > 100
    assert [text for text in complaints if "\n" in text or not text.startswith(str(tmp_path / "m"))] == []


def test_a_flipped_bit_in_what_was_trained_on_is_one_line(run, tmp_path):
    content = bytearray((run.path / "model.safetensors").read_bytes())
    place = content.index(b"known") + 60
    content[place] = ord("b") if content[place] == ord("a") else ord("a")
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(UsageError, match="use another copy, or train again"):
        vaehub.load(tmp_path / "m")
