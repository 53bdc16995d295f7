"""A trained model as a map between molecules and codes."""

import numpy as np
import pytest
import torch

import vaehub
from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical
from vaehub_molecules.parts.relaxed import gumbel
from vaehub_molecules.use.codec import Codec, canonical_or_empty
from vaehub_molecules.use.judge import exact, returned, valid


def test_what_goes_in_comes_out(codec, run):
    smiles = run.data("train").facts.smiles[:100]
    again = codec.molecules(codec.encode(smiles))
    assert np.mean([a == b for a, b in zip(smiles, again, strict=True)]) > 0.3


def test_drawn_strings_are_valid(codec):
    drawn = codec.molecules(codec.prior(200, 1), temperature=1.0)
    assert np.mean([bool(s) for s in drawn]) > 0.97
    assert [canonical(s) for s in drawn if s] == [s for s in drawn if s]


def test_a_loaded_model_is_the_same(codec, run):
    again = Codec(vaehub.load(run.path))
    z = codec.prior(20, 0)
    assert again.strings(z, 1.0, seed=3) == codec.strings(z, 1.0, seed=3)
    assert again.strings(z, 1.0, seed=4) != codec.strings(z, 1.0, seed=3)
    assert again.property_names == ("logp", "heavy")


def test_codes_do_not_depend_on_what_else_is_encoded(codec, run):
    smiles = run.data("train").facts.smiles[:30]
    alone = torch.cat([codec.encode([s]) for s in smiles])
    assert torch.allclose(codec.encode(smiles), alone, atol=1e-5)
    assert codec.encode([]).shape == (0, codec.latent)


def test_predictions_are_in_units_and_better_than_chance(codec, run):
    smiles = run.data("train").facts.smiles
    heavy = torch.tensor([sum(c.isupper() or c in "cno" for c in s) for s in smiles], dtype=torch.float32)
    predicted = codec.predict(codec.encode(smiles)).detach()[:, 1]
    assert torch.corrcoef(torch.stack([heavy, predicted]))[0, 1] > 0.8
    assert abs(predicted.mean() - heavy.mean()) < 2


def test_the_slope_of_a_property_reaches_z_through_the_string(codec, run):
    z = codec.encode(run.data("train").facts.smiles[:8]).requires_grad_()
    noise = gumbel(codec.relaxed(z.detach()))
    value = codec.predict_relaxed(codec.relaxed(z, 0.7, False, noise))[:, 1].sum()
    (slope,) = torch.autograd.grad(value, z)
    with torch.no_grad():
        ahead = codec.predict_relaxed(codec.relaxed(z + 0.003 * slope, 0.7, False, noise))[:, 1].sum()
    assert ahead > value


def test_tuning_gives_a_copy_that_writes_more_of_what_it_was_shown(codec, run):
    shown = run.data("train").facts.smiles[:3]
    before = {name: t.clone() for name, t in run.vae.state_dict().items()}
    tuned = codec.tuned(shown, steps=60, rate=3e-3)
    assert all(torch.equal(t, before[name]) for name, t in run.vae.state_dict().items())
    z = codec.prior(300, 0)
    share = [np.mean([s in shown for s in c.molecules(z, 1.0)]) for c in (codec, tuned)]
    assert share[1] > share[0] + 0.1
    assert codec.tuned(shown, steps=2, seed=1).strings(z[:9]) == codec.tuned(shown, steps=2, seed=1).strings(z[:9])


def test_a_symbol_that_the_model_does_not_know(codec):
    assert not codec.knows("CC[Si](C)C")
    with pytest.raises(UsageError, match=r"CC\[Si\]\(C\)C.*\[Si\]"):
        codec.encode(["CCO", "CC[Si](C)C"])
    with pytest.raises(UsageError, match="C1CC"):
        codec.canonical("C1CC")


def test_a_run_of_another_domain_is_no_codec(tmp_path):
    run = vaehub.train({"domain": "digits", "train": {"epochs": 1, "score_rows": 0}, "latent": 2}, out=tmp_path / "run")
    with pytest.raises(UsageError, match="not of molecules"):
        Codec(run)


def test_texts_that_are_no_molecules(codec):
    assert canonical_or_empty(["CCO", "C1CC", "", "OCC", "C=[CH-]=C"], codec.policy) == ["CCO", "", "", "CCO", ""]


def test_figures_stand_together(run):
    data = run.data("val")
    figures = returned(run.vae, data, len(data))
    assert figures["exact_reconstruction"] == pytest.approx(exact(run.vae, data, 10**6))
    assert figures["token_reconstruction"] >= figures["exact_reconstruction"]
    assert 0 < figures["active_units"] <= 16
    assert figures["kl"] > 1
    assert valid(run.vae, data, run.codec.vocabulary, 100) > 0.9


def test_training_writes_what_monitors_can_choose_by(run):
    rows = (run.path / "metrics.csv").read_text().splitlines()
    assert {"val_exact", "val_valid", "train_property_error"} <= set(rows[0].split(","))
