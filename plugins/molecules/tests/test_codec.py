"""A trained model as a map between molecules and codes."""

import numpy as np
import pytest
import torch

import vaehub
from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical, canonical_or_empty
from vaehub_molecules.codec import MoleculeCodec
from vaehub_molecules.domains.profile import TrainingProfile
from vaehub_molecules.parts.relaxed import gumbel
from vaehub_molecules.report.measures import meaning
from vaehub_molecules.use.evaluation import exact_share, likeness_metrics, molecule_metrics, reconstruction_metrics, valid_share
from vaehub_molecules.use.latent_space import LatentSpace


def test_what_goes_in_comes_out(space, run):
    smiles = run.data("train").facts.smiles[:100]
    again = space.molecules(space.encode(smiles))
    assert np.mean([a == b for a, b in zip(smiles, again, strict=True)]) > 0.3


def test_drawn_strings_are_valid(space):
    drawn = space.molecules(space.prior(200, 1), temperature=1.0)
    assert np.mean([bool(s) for s in drawn]) > 0.97
    assert [canonical(s) for s in drawn if s] == [s for s in drawn if s]


def test_a_loaded_model_is_the_same(space, run):
    again = LatentSpace(vaehub.load(run.path))
    z = space.prior(20, 0)
    assert again.strings(z, 1.0, seed=3) == space.strings(z, 1.0, seed=3)
    assert again.strings(z, 1.0, seed=4) != space.strings(z, 1.0, seed=3)
    assert again.property_names == ("logp", "heavy")


def test_codes_do_not_depend_on_what_else_is_encoded(space, run):
    smiles = run.data("train").facts.smiles[:30]
    alone = torch.cat([space.encode([s]) for s in smiles])
    assert torch.allclose(space.encode(smiles), alone, atol=1e-5)
    assert space.encode([]).shape == (0, space.latent)


def test_predictions_are_in_units_and_better_than_chance(space, run):
    smiles = run.data("train").facts.smiles
    heavy = torch.tensor([sum(c.isupper() or c in "cno" for c in s) for s in smiles], dtype=torch.float32)
    predicted = space.predict(space.encode(smiles)).detach()[:, 1]
    assert torch.corrcoef(torch.stack([heavy, predicted]))[0, 1] > 0.8
    assert abs(predicted.mean() - heavy.mean()) < 2


def test_the_slope_of_a_property_reaches_z_through_the_string(space, run):
    z = space.encode(run.data("train").facts.smiles[:8]).requires_grad_()
    noise = gumbel(space.relaxed(z.detach()))
    value = space.predict_relaxed(space.relaxed(z, 0.7, False, noise))[:, 1].sum()
    (slope,) = torch.autograd.grad(value, z)
    with torch.no_grad():
        ahead = space.predict_relaxed(space.relaxed(z + 0.003 * slope, 0.7, False, noise))[:, 1].sum()
    assert ahead > value


def test_tuning_gives_a_copy_that_writes_more_of_what_it_was_shown(space, run):
    shown = run.data("train").facts.smiles[:3]
    before = {name: t.clone() for name, t in run.vae.state_dict().items()}
    tuned = space.tuned(shown, steps=60, rate=3e-3)
    assert all(torch.equal(t, before[name]) for name, t in run.vae.state_dict().items())
    z = space.prior(300, 0)
    share = [np.mean([s in shown for s in c.molecules(z, 1.0)]) for c in (space, tuned)]
    assert share[1] > share[0] + 0.1
    assert space.tuned(shown, steps=2, seed=1).strings(z[:9]) == space.tuned(shown, steps=2, seed=1).strings(z[:9])


def test_a_symbol_that_the_model_does_not_know(space):
    assert not space.can_read("CC[Si](C)C")
    with pytest.raises(UsageError, match=r"CC\[Si\]\(C\)C.*\[Si\]"):
        space.encode(["CCO", "CC[Si](C)C"])
    with pytest.raises(UsageError, match="C1CC"):
        space.canonical("C1CC")


def test_a_run_of_another_domain_is_no_codec(tmp_path):
    run = vaehub.train({"domain": "digits", "train": {"epochs": 1, "score_rows": 0}, "latent": 2}, out=tmp_path / "run")
    with pytest.raises(UsageError, match="not of molecules"):
        LatentSpace(run)


def test_models_saved_before_there_were_options_for_metals_isotopes_and_tautomers(space):
    state = space.codec.to_json()
    before = {name: value for name, value in state["policy"].items() if name not in ("metals", "isotopes", "tautomers")}
    restored = MoleculeCodec.from_json(space.codec.spec, state | {"policy": before})
    assert restored.policy == space.policy


def test_texts_that_are_no_molecules(space):
    assert canonical_or_empty(["CCO", "C1CC", "", "OCC", "C=[CH-]=C"], space.policy) == ["CCO", "", "", "CCO", ""]


def test_molecules_with_isotopes_count_as_drawn():
    profile = TrainingProfile.of(["[13CH3]c1ccccc1", "CCO"])
    figures = likeness_metrics(profile, ["[13CH3]c1ccccc1", "C1CCC1[2H]", "C1CC"], [])
    assert figures["known_rings"] == 0.5


def test_figures_stand_together(run):
    data = run.data("val")
    figures = reconstruction_metrics(run.vae, data, len(data))
    assert figures["exact_reconstruction"] == pytest.approx(exact_share(run.vae, data, 10**6))
    assert figures["token_reconstruction"] >= figures["exact_reconstruction"]
    assert 0 < figures["exact_reconstruction_drawn"] <= 1
    assert valid_share(run.vae, data, run.codec.vocabulary, 100) > 0.9


def test_training_writes_what_monitors_can_choose_by(run):
    rows = (run.path / "metrics.csv").read_text().splitlines()
    assert {"val_exact", "val_valid", "val_known_rings", "val_neg_w1", "train_property_error"} <= set(rows[0].split(","))


@pytest.mark.filterwarnings("ignore:FCD is left out")
def test_figures_of_samples_tell_what_a_grammar_cannot_make_true(run):
    figures = molecule_metrics(run, run.data("test"), (), 100, 30)
    assert figures["known_rings_unseen"] == 1  # all of them have a benzene ring or none
    assert 0 <= figures["known_rings"] <= 1
    assert {"weight W1/sd", "logP W1/sd", "QED W1/sd", "SA W1/sd", "known_rings_se"} <= set(figures)
    assert all(meaning(name) for name in figures if not name.endswith("_se"))
    same = likeness_metrics(run.codec.profile, run.data("train").facts.smiles, ())
    assert same["known_rings"] == 1
    assert same["weight W1/sd"] == pytest.approx(0, abs=0.05)
