"""Rows in the CSR layout go through the engine as the same rows written out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaehub.base import Batch, Outcome, Spec
from vaehub.data.check import check_rows
from vaehub.data.rows import TensorData
from vaehub.errors import UsageError
from vaehub.evaluation.importance import importance_log_px
from vaehub.model.likelihoods import Bernoulli, Normal
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal, Vamp
from vaehub.model.vae import VAE, repeat
from vaehub.sparse import csr, dense, is_sparse, row_of, rows_at, stored, take

SPEC = Spec((12,))


def some_rows(rows: int = 5, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(rows, 12, generator=generator) < 0.3).float()


def model(prior=StandardNormal, likelihood=Bernoulli) -> VAE:
    torch.manual_seed(0)
    encoder = MLPEncoder(SPEC, DiagNormal(2), hidden=(8,))
    return VAE(encoder, MLPDecoder(SPEC, 2, likelihood(SPEC), hidden=(8,)), prior(SPEC, 2)).eval()


@given(st.integers(0, 6), st.lists(st.integers(0, 5), max_size=9))
def test_rows_are_taken_in_any_order_and_number(seed, index):
    x, index = some_rows(6, seed), torch.tensor(index, dtype=torch.long)
    taken = take(x.to_sparse_csr(), index)
    assert is_sparse(taken)
    assert taken.shape == (len(index), 12)
    assert torch.equal(dense(taken), x[index])


def test_row_pointers_of_more_than_two_billion_entries_do_not_overflow():
    crow = torch.tensor([0, 2**31 + 5, 2**31 + 9, 2**31 + 10])
    pointer, at = rows_at(crow, torch.tensor([2, 1]))
    assert pointer.tolist() == [0, 1, 5]
    assert at.tolist() == [2**31 + n for n in (9, 5, 6, 7, 8)]


def test_every_entry_knows_its_row():
    assert row_of(torch.tensor([0, 2, 2, 3])).tolist() == [0, 0, 2]


def test_a_sparse_row_built_by_hand_is_that_row():
    t = csr(torch.tensor([0, 1, 3]), torch.tensor([2, 0, 1]), torch.tensor([5.0, 6.0, 7.0]), 3)
    assert dense(t).tolist() == [[0, 0, 5], [6, 7, 0]]


def test_repeating_rows_repeats_sparse_ones_alike():
    x = some_rows()
    whole, sparse = (repeat(Batch(t, t), 3) for t in (x, x.to_sparse_csr()))
    assert torch.equal(dense(sparse.x), whole.x)
    assert torch.equal(dense(sparse.cond), whole.cond)


@pytest.mark.parametrize("samples", [1, 3])
def test_the_terms_of_sparse_rows_are_those_of_the_rows_written_out(samples):
    x, vae = some_rows(), model()
    found = []
    for batch in (Batch(x), Batch(x.to_sparse_csr())):
        torch.manual_seed(1)
        found.append(vae(batch, samples).log_px)
    assert torch.equal(*found)


def test_evidence_does_not_depend_on_the_layout():
    x, vae = some_rows(30), model()
    assert torch.equal(importance_log_px(vae, Batch(x), 7), importance_log_px(vae, Batch(x.to_sparse_csr()), 7))


def test_a_distribution_that_reads_sparse_rows_gets_them_as_they_are():
    seen = []

    class Sum(Outcome, torch.distributions.Normal):
        reads_sparse = True

        def log_prob(self, value):
            seen.append(value)
            return super().log_prob(value.to_dense())

    vae, x = model(likelihood=Normal), some_rows().to_sparse_csr()
    vae.decoder.forward = lambda z, cond=None: Sum(torch.zeros(len(z), 12), 1.0)
    vae(Batch(x))
    assert seen[0] is x


def test_pseudo_inputs_start_from_sparse_rows():
    vae = model(Vamp)
    vae.prior.initialise(Batch(some_rows().to_sparse_csr()))
    assert torch.isfinite(vae.prior().log_prob(torch.zeros(2)))


def test_the_numbers_of_a_sparse_tensor_and_its_zero_tell_its_range():
    assert sorted(stored(torch.tensor([[0.0, 3.0], [-1.0, 0.0]]).to_sparse_csr()).tolist()) == [-1.0, 0.0, 3.0]


def test_sparse_rows_outside_the_support_are_refused():
    x = some_rows()
    check_rows(SPEC, Bernoulli(SPEC), Batch(x.to_sparse_csr()))
    with pytest.raises(UsageError, match="bernoulli expects"):
        check_rows(SPEC, Bernoulli(SPEC), Batch((2 * x).to_sparse_csr()))


def test_rows_in_memory_stay_dense():
    assert not is_sparse(TensorData(some_rows())[torch.tensor([0])].x)
