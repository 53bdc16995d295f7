"""A trained run as a map between molecules and codes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor

from vaehub import Step, TrainedModel, UsageError, seeded
from vaehub.model import ELBO
from vaehub_molecules.chem.canonical import canonical, canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.codec import MoleculeCodec
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.domains.molecule_domain import MoleculeDomain, molecule_domain_of
from vaehub_molecules.parts.autoregressive import StringDecoder, StringDistribution
from vaehub_molecules.parts.heads import Heads
from vaehub_molecules.parts.relaxed import relaxed
from vaehub_molecules.rows import MoleculeRows
from vaehub_molecules.tokens import Vocabulary

ROWS = 1024  # molecules that go through the networks at once


@final
class LatentSpace:
    """Molecules to codes z (N, L) and back. Letters: N molecules, L latent, T symbols, V vocabulary, P properties, C condition.

    Arguments:
        run: a trained model of molecules, as `vaehub.load` or `vaehub.train` give it.
        cond: (C,) the condition under which codes are drawn and read where no other is given, of a model with conditions.

    Raises:
        UsageError: for a model of anything else.

    >>> space = LatentSpace(run)
    >>> z = space.encode(["CCO", "CCN"])
    >>> z.shape[0] == 2, len(space.molecules(z))
    (True, 2)
    """

    def __init__(self, run: TrainedModel, cond: Tensor | None = None) -> None:
        if not isinstance(run.codec, MoleculeCodec) or not isinstance(run.vae.decoder, StringDecoder):
            raise UsageError(
                f"a run of domain {run.config.domain.name}, not of molecules; give one trained on domain smiles, moses or zinc250k"
            )
        self.run, self.codec, self.decoder, self.cond = run, run.codec, run.vae.decoder, cond

    @property
    def domain(self) -> MoleculeDomain:
        """The set that the model was trained on. Raises UsageError where it is not at hand."""
        return molecule_domain_of(self.run.domain)

    @property
    def trained_on(self) -> HashedSet:
        """Which molecules were trained on."""
        return self.codec.trained_on

    @property
    def latent(self) -> int:
        """L."""
        return self.run.config.latent

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols that the model knows."""
        return self.codec.vocabulary

    @property
    def policy(self) -> Policy:
        """Which molecules the model was trained on."""
        return self.codec.policy

    @property
    def property_names(self) -> tuple[str, ...]:
        """What the heads predict."""
        return self.codec.scales.names if self.decoder.heads is not None else ()

    def can_read(self, smiles: str) -> bool:
        """Whether the model can read a canonical SMILES."""
        return self.vocabulary.why_unreadable(smiles) is None

    def canonical(self, text: str) -> str:
        """The form of a molecule that the model reads. Raises UsageError with the reason where there is none."""
        try:
            return canonical(text, self.policy)
        except Rejected as error:
            raise UsageError(f"{text!r}: {error}") from error

    def rows(self, smiles: Sequence[str]) -> MoleculeRows:
        """Canonical SMILES as rows of the model. Raises UsageError that names the molecule and the symbol that it lacks."""
        return self.codec.encodable(smiles)

    def encode(self, smiles: Sequence[str]) -> Tensor:
        """Means of q(z|x) of canonical SMILES.

        Returns:
            codes (N, L).

        Raises:
            UsageError: that names a molecule the model cannot read.
        """
        return self.posterior_moments(smiles)[0]

    @torch.no_grad()
    def posterior_moments(self, smiles: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of q(z|x), each (N, L)."""
        if not smiles:
            return torch.zeros(0, self.latent), torch.zeros(0, self.latent)
        found = [self.run.vae.encoder(batch) for batch in self.run.batches(self.rows(smiles), ROWS)]
        return torch.cat([q.mean for q in found]).cpu(), torch.cat([q.stddev for q in found]).cpu()

    def symbol_counts(self, smiles: Sequence[str]) -> Tensor:
        """How often each symbol occurs (N, V), END up to the full length included, as the sum of a soft string over T has it.

        Raises UsageError that names a molecule the model cannot read.
        """
        x = self.rows(smiles).x.long()
        return torch.zeros(len(x), len(self.vocabulary)).scatter_add_(1, x, torch.ones(x.shape))

    @torch.no_grad()
    def strings(self, z: Tensor, temperature: float | Tensor = 0.0, seed: int = 0, cond: Tensor | None = None) -> list[str]:
        """What codes spell, unchecked.

        Arguments:
            z: codes (N, L).
            temperature: 0 takes the likeliest symbol after another, else each is drawn from p^(1/temperature); one for all, or (N,).
            seed: of the draws.
            cond: conditions (N, C), where the model has some.
        """
        out: list[str] = []
        cond = self._conditions(cond, len(z))
        temperatures = torch.as_tensor(temperature).expand(len(z))
        with seeded("strings", seed):
            for index in torch.arange(len(z)).split(ROWS):
                given = None if cond is None else cond[index].to(self.run.device)
                px: StringDistribution = self.decoder(z[index].to(self.run.device), given)
                out += self.vocabulary.strings(px.sample(temperature=temperatures[index]))
        return out

    def molecules(self, z: Tensor, temperature: float | Tensor = 0.0, seed: int = 0, cond: Tensor | None = None) -> list[str]:
        """Canonical SMILES of codes, "" where what they spell is no molecule.

        Arguments:
            z: codes (N, L).
            temperature: 0 takes the likeliest symbol after another, else each is drawn from p^(1/temperature); one for all, or (N,).
            seed: of the draws.
            cond: conditions (N, C), where the model has some.
        """
        return canonical_or_empty(self.strings(z, temperature, seed, cond), self.policy)

    @torch.no_grad()
    def prior(self, n: int, seed: int, cond: Tensor | None = None, rereads: int | None = None) -> Tensor:
        """Codes (n, L) from the prior, under conditions (n, C) where the model has some, read again as often as it says or `rereads` does."""
        with seeded("prior", seed):
            return self.run.vae.sample(n, self._conditions(cond, n), rereads).cpu()

    @property
    def heads(self) -> Heads:
        """The property heads. Raises UsageError where the model has none."""
        if self.decoder.heads is None:
            raise UsageError('this model predicts no property; train with domain.properties=["qed"] objective=predictive')
        return self.decoder.heads

    def predict(self, z: Tensor) -> Tensor:
        """Properties (N, P) of codes (N, L), in their own units, differentiable. Raises UsageError where the model predicts none."""
        return self.codec.scales.units(self.heads(z))

    def relaxed(
        self, z: Tensor, tau: float = 1.0, hard: bool = False, noise: Tensor | None = None, cond: Tensor | None = None
    ) -> Tensor:
        """Soft strings (N, T, V) of codes (N, L), differentiable in them; `noise` (N, T, V): Gumbel numbers to use again."""
        cond = self._conditions(cond, len(z))
        return relaxed(self.decoder, z if cond is None else torch.cat([z, cond.to(z)], -1), tau, hard, noise)

    def _conditions(self, cond: Tensor | None, n: int) -> Tensor | None:
        """The conditions (n, C) that are given, else that of this space."""
        return self.cond.expand(n, -1) if cond is None and self.cond is not None else cond

    def predict_relaxed(self, soft: Tensor) -> Tensor:
        """Properties (N, P) of soft strings (N, T, V), in their own units, differentiable."""
        return self.codec.scales.units(self.heads.from_strings(soft))

    def tuned(
        self, smiles: Sequence[str], weights: Sequence[float] | None = None, steps: int = 20, rate: float = 3e-4, seed: int = 0
    ) -> LatentSpace:
        """A copy trained on; this one stays as it is.

        Arguments:
            smiles: canonical molecules to train on.
            weights: by which they are drawn; all alike, if not given.
            steps: of the optimiser.
            rate: of learning.
            seed: of the draws.
        """
        other = copy.copy(self.run)
        grammar = self.decoder.grammar  # has nothing to learn
        other.vae = copy.deepcopy(self.run.vae, {id(grammar): grammar})
        tune(other.vae, self.rows(smiles), weights, steps, rate, seed)
        return LatentSpace(other, self.cond)


def tune(
    vae: Any, rows: MoleculeRows, weights: Sequence[float] | None, steps: int, rate: float, seed: int, size: int = 64
) -> None:
    """Steps of the ELBO, beta 0.1, on rows drawn by weight, those of like length together."""
    objective, optimizer = ELBO(beta=0.1), torch.optim.Adam(vae.parameters(), rate)
    chances = torch.ones(len(rows)) if weights is None else torch.as_tensor(weights, dtype=torch.float32)
    device = next(vae.parameters()).device
    vae.train()
    with seeded("tune", seed):
        drawn = torch.multinomial(chances, steps * min(size, len(rows)), replacement=True)
        batches = drawn[rows.lengths[drawn].argsort(stable=True)].view(steps, -1)[torch.randperm(steps)]
        for step, index in enumerate(batches):
            batch = rows[index].to(device)
            loss, _ = objective(vae(batch), Step(step))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
            optimizer.step()
    vae.eval()
