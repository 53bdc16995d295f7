"""What the engine offers parts and callers around training: hooks between parts, rows in memory, silence, a model saved to one file."""

import pytest
import torch

import vaehub
from vaehub.base import Data, Spec
from vaehub.config.build import build_domain
from vaehub.config.load import load_config
from vaehub.data.rows import TensorData
from vaehub.errors import UsageError
from vaehub.files.model_file import load_model
from vaehub.model.likelihoods import Bernoulli
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.objectives import ELBO
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE

SPEC = Spec((1, 8, 8))


class Inverting(MLPEncoder):
    """An encoder that keeps the decoder it is shown."""

    def wire(self, vae):
        self.shown = (vae.decoder,)


def test_the_vae_shows_the_encoder_its_decoder_once():
    encoder = Inverting(SPEC, DiagNormal(2), hidden=(4,))
    decoder = MLPDecoder(SPEC, 2, Bernoulli(SPEC), hidden=(4,))
    vae = VAE(encoder, decoder, StandardNormal(SPEC, 2))
    assert encoder.shown == (decoder,)
    assert sum(name.startswith("encoder.shown") for name in vae.state_dict()) == 0


def test_parts_without_the_hooks_are_left_alone():
    encoder, decoder = MLPEncoder(SPEC, DiagNormal(2)), MLPDecoder(SPEC, 2, Bernoulli(SPEC))
    before = {name: weight.clone() for part in (encoder, decoder) for name, weight in part.state_dict().items()}
    vae = VAE(encoder, decoder, StandardNormal(SPEC, 2))
    after = {name: weight for part in (vae.encoder, vae.decoder) for name, weight in part.state_dict().items()}
    assert all(torch.equal(before[name], after[name]) for name in before | after)


def test_the_decoder_starts_from_all_training_rows_before_the_first_step(small, tmp_path, monkeypatch):
    given: list[Data] = []

    def initialise(self, data):
        given.append(data)
        with torch.no_grad():
            list(self.parameters())[-1].fill_(7.0)

    monkeypatch.setattr(MLPDecoder, "initialise", initialise)
    run = vaehub.train(small(train={"epochs": 1}, optimizer={"lr": 1e-9}), out=tmp_path / "run", progress=False)
    assert [len(data) for data in given] == [400]
    last = list(run.vae.decoder.parameters())[-1]
    assert torch.allclose(last, torch.full_like(last, 7.0), atol=1e-3)


def test_rows_in_memory_take_the_place_of_those_that_the_config_names(small, tmp_path):
    config = load_config(small(train={"epochs": 1}))
    domain = build_domain(config)
    asked = []

    def data(split):
        asked.append(split)
        return TensorData((torch.rand(60, 1, 8, 8) < 0.5).float())

    domain.data = data
    run = vaehub.train(config, out=tmp_path / "run", domain=domain, progress=False)
    assert run.domain is domain
    assert {"train", "val"} <= set(asked)
    assert run.state["score"]["rows"] == 60


def test_training_in_silence_prints_nothing_and_gives_the_same_bits(small, tmp_path, capfd):
    vaehub.train(small(), out=tmp_path / "silent", progress=False)
    out, err = capfd.readouterr()
    assert out + err == ""
    vaehub.train(small(), out=tmp_path / "loud")
    assert capfd.readouterr().out
    silent, loud = (load_model(tmp_path / name / "model.safetensors")[0] for name in ("silent", "loud"))
    assert all(torch.equal(silent[k], loud[k]) for k in loud)


@pytest.mark.parametrize("rows", [0, 30])
def test_score_rows_says_how_many_training_rows_are_kept_for_scores(small, tmp_path, rows):
    run = vaehub.train(small(train={"epochs": 1, "score_rows": rows}), out=tmp_path / "run", progress=False)
    assert run.state.get("score", {"rows": 0})["rows"] == rows
    assert vaehub.load(tmp_path / "run").state == run.state
    if not rows:
        with pytest.raises(UsageError, match=r"train it again with train\.score_rows"):
            run.score(run.data("test"))


def test_a_run_saved_to_one_file_comes_back_whole(small, tmp_path):
    run = vaehub.train(small(train={"epochs": 1}), out=tmp_path / "run", progress=False)
    run.save(tmp_path / "one.safetensors")
    back = vaehub.load(tmp_path / "one.safetensors")
    weights = run.vae.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in back.vae.state_dict().items())
    assert back.config.to_dict() == run.config.to_dict()
    assert back.state == run.state
    assert back.codec.seen == 400
    assert (back.sample(3) == run.sample(3)).all()


def test_an_objective_is_shown_the_model_and_prepares_every_step(small, tmp_path, monkeypatch):
    shown, steps = [], []
    monkeypatch.setattr(ELBO, "wire", lambda self, vae: shown.append(vae))
    monkeypatch.setattr(ELBO, "prepare", lambda self, step: steps.append(step))
    vaehub.train(small(train={"epochs": 2, "batch_size": 100}), out=tmp_path / "run", progress=False)
    assert [type(vae) for vae in shown] == [VAE]
    assert [(step.epoch, step.step) for step in steps] == [(n // 4, n) for n in range(8)]


def test_what_an_objective_freezes_stays_as_it_is(small, tmp_path, monkeypatch):
    start = {}

    def wire(self, vae):
        self.kept = (vae,)
        start.update({name: t.clone() for name, t in vae.decoder.state_dict().items()})

    monkeypatch.setattr(ELBO, "wire", wire)
    monkeypatch.setattr(ELBO, "prepare", lambda self, step: self.kept[0].decoder.requires_grad_(False))
    run = vaehub.train(small(train={"epochs": 1}), out=tmp_path / "run", progress=False)
    assert all(torch.equal(t, start[name]) for name, t in run.vae.decoder.state_dict().items())


def test_what_a_decoder_calibrates_is_saved_with_the_model(small, tmp_path, monkeypatch):
    given = []

    def calibrate(self, vae, data):
        given.append(len(data))
        with torch.no_grad():
            next(vae.decoder.parameters()).fill_(0.5)

    monkeypatch.setattr(MLPDecoder, "calibrate", calibrate)
    run = vaehub.train(small(train={"epochs": 1}), out=tmp_path / "run", progress=False)
    assert given == [200]
    for vae in (run.vae, vaehub.load(tmp_path / "run").vae):
        assert bool((next(vae.decoder.parameters()) == 0.5).all())


def test_an_encoder_may_start_from_the_training_rows(small, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(MLPEncoder, "initialise", lambda self, data: given.append(len(data)))
    vaehub.train(small(train={"epochs": 1}), out=tmp_path / "run", progress=False)
    assert given == [400]
