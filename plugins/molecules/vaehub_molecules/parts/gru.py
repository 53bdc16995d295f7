"""Recurrent networks that read and write strings."""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub import Batch, Encoder, Likelihood, Posterior, Spec, UsageError
from vaehub_molecules.parts.autoregressive import Share, State, StringDecoder, Temperature, until_end

Layers = Annotated[int, Field(ge=1, le=8)]


@final
class GRUEncoder(Encoder):
    """q(z|x,c) from the last states of two GRUs, one reading forward and one backward.

    "Learning Phrase Representations using RNN Encoder-Decoder" (Cho et al., 2014), arXiv:1406.1078.

    Arguments:
        embedding: Width of the vectors that stand for symbols.
        width: Width of the states.
        layers: Layers of GRUs on top of each other.

    >>> from vaehub.model.posteriors import DiagNormal
    >>> encoder = GRUEncoder(Spec((7,), classes=5), DiagNormal(3), width=8)
    >>> encoder(Batch(torch.tensor([[1, 2, 0, 0, 0, 0, 0]]))).mean.shape
    torch.Size([1, 3])
    """

    def __init__(
        self, spec: Spec, posterior: Posterior, *, embedding: PositiveInt = 128, width: PositiveInt = 256, layers: Layers = 1
    ) -> None:
        super().__init__(spec, posterior)
        if len(spec.shape) != 1 or not spec.classes:
            raise UsageError(f"encoder gru: reads rows of symbols, not rows of shape {spec.shape}; use a domain of strings")
        self.embed = nn.Embedding(spec.classes, embedding)
        self.forth, self.back = (nn.GRU(embedding, width, layers, batch_first=True) for _ in range(2))
        self.head = nn.Linear(2 * width + spec.cond, posterior.features)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        if (batch.cond is None) != (self.spec.cond == 0):
            raise UsageError(f"cond: this encoder was built for {self.spec.cond} numbers a row; give as many")
        x = batch.x.long()
        last = until_end(x).sum(1) - 1
        x = x[:, : int(last.max()) + 1]
        states = [
            final_state(net, self.embed(symbols), last) for net, symbols in ((self.forth, x), (self.back, reversed_rows(x, last)))
        ]
        condition = [] if batch.cond is None else [batch.cond]
        q: Distribution = self.posterior(self.head(torch.cat([*states, *condition], -1)))
        return q


def reversed_rows(x: Tensor, last: Tensor) -> Tensor:
    """Rows (B, T) from their last symbol to their first."""
    places = (last.unsqueeze(1) - torch.arange(x.shape[1], device=x.device)).clamp(min=0)
    return x.gather(1, places)


def final_state(net: nn.GRU, embedded: Tensor, last: Tensor) -> Tensor:
    """The state (B, H) after the last symbol of every row."""
    states: Tensor = net(embedded)[0]
    return states[torch.arange(len(last), device=last.device), last]


@final
class GRUDecoder(StringDecoder):
    """p(x|z,c) by a GRU that sees z at every step and starts from a state made of it.

    Arguments:
        embedding: Width of the vectors that stand for symbols.
        width: Width of the states.
        layers: Layers of GRUs on top of each other.
        word_dropout: Share of the symbols before that are hidden while training, so that z is needed.
        grammar: Draw only strings that follow the grammar of SMILES.
        temperature: Of drawn strings, p^(1/temperature) symbol by symbol; 0 takes the likeliest.

    >>> from vaehub.model.likelihoods import Categorical
    >>> spec = Spec((7,), classes=5)
    >>> px = GRUDecoder(spec, 3, Categorical(spec), width=8)(torch.zeros(2, 3))
    >>> px.sample().shape, px.log_prob(torch.zeros(2, 7)).shape
    (torch.Size([2, 7]), torch.Size([2, 7]))
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        embedding: PositiveInt = 128,
        width: PositiveInt = 512,
        layers: Layers = 1,
        word_dropout: Share = 0.1,
        grammar: bool = True,
        temperature: Temperature = 1.0,
    ) -> None:
        super().__init__(spec, latent, likelihood, embedding, width, word_dropout, grammar, temperature)
        self.layers = layers
        self.start = nn.Linear(self.code_size, layers * width)
        self.net = nn.GRU(embedding + self.code_size, width, layers, batch_first=True)

    def features(self, embedded: Tensor, code: Tensor) -> Tensor:
        """Features (B, T, F) of every symbol of a string."""
        inputs = torch.cat([embedded, code.unsqueeze(1).expand(-1, embedded.shape[1], -1)], -1)
        out: Tensor = self.net(inputs, self.initial(code))[0]
        return out

    def initial(self, code: Tensor) -> Tensor:
        """The state (layers, B, F) before the first symbol."""
        start: Tensor = self.start(code).tanh().unflatten(1, (self.layers, -1)).transpose(0, 1)
        return start.contiguous()

    def initial_state(self, code: Tensor) -> State:
        """The code, and each layer's state."""
        return [code, self.initial(code).transpose(0, 1)]

    def next_features(self, embedded: Tensor, state: State) -> tuple[Tensor, State]:
        """One step of the GRU."""
        code, h = state
        out, h = self.net(torch.cat([embedded, code], -1).unsqueeze(1), h.transpose(0, 1).contiguous())
        return out.squeeze(1), [code, h.transpose(0, 1)]
