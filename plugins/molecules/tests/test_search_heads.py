"""Heads that are fitted to the calls so far know unseen molecules, and their slopes lead to better ones."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vaehub_molecules.search.ascent import Ascent
from vaehub_molecules.search.heads import FittedHeads, OwnHeads, head_columns


def oxygens(smiles):
    return np.array([text.count("O") for text in smiles], dtype=float)


def test_counts_of_symbols_are_those_of_a_hard_string(space):
    smiles = ["CCO", "CC(=O)N"]
    rows = space.rows(smiles).x.long()
    assert torch.equal(space.symbol_counts(smiles), F.one_hot(rows, len(space.vocabulary)).sum(1).float())


def test_fitted_heads_know_unseen_molecules(space, molecules_file):
    smiles = molecules_file.read_text().split()
    fitted, unseen = smiles[::2][:150], smiles[1::2][:150]
    heads = FittedHeads.of(space, fitted, oxygens(fitted))
    rows = F.one_hot(space.rows(unseen).x.long(), len(space.vocabulary)).float()
    for guess in (heads.of_codes(space.encode(unseen)), heads.of_strings(rows)):
        assert guess.shape == (150, 1)
        assert np.corrcoef(guess[:, 0].detach().numpy(), oxygens(unseen))[0, 1] > 0.6


def test_ascent_of_fitted_heads_raises_them(space, molecules_file):
    smiles = molecules_file.read_text().split()[:100]
    heads, start = FittedHeads.of(space, smiles, oxygens(smiles)), space.encode(smiles[:5])
    path = Ascent(steps=6, stops=2).paths(space, start, heads, 0)
    assert len(path) == 2
    assert bool((heads.of_codes(path[-1]) > heads.of_codes(start)).all())


def test_own_heads_are_in_units_of_their_deviation(space):
    heads = OwnHeads.of(space, head_columns(space, ["logp"]), 0)
    assert heads.of_codes(space.prior(256, 0)).std(0).item() == pytest.approx(1.0, abs=1e-3)
    assert head_columns(space, ["qed"]) == []
