"""Transformers that read and write strings; the writer keeps the keys and values of what it has written."""

from __future__ import annotations

from typing import Annotated, final

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub import Batch, Encoder, Likelihood, Posterior, Spec, UsageError
from vaehub_molecules.parts.autoregressive import Share, State, StringDecoder, Temperature, until_end

Layers = Annotated[int, Field(ge=1, le=24)]


@final
class Block(nn.Module):
    """Attention and a feed-forward net, each on what is normalised and added: "Attention Is All You Need" (2017), arXiv:1706.03762."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.shifted_embeddings, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """Whole strings (B, T, F); `mask` (B, 1, 1, T) of the places that may be looked at."""
        q, k, v = self.split(h)
        return self.rest(h, F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal))

    def append(self, h: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One more place (B, 1, F) after those whose keys and values (B, heads, t, F / heads) are kept."""
        q, k, v = self.split(h)
        keys, values = torch.cat([keys, k], 2), torch.cat([values, v], 2)
        return self.rest(h, F.scaled_dot_product_attention(q, keys, values)), keys, values

    def split(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, heads, T, F / heads)."""
        q, k, v = self.ask(self.shifted_embeddings(h)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    def rest(self, h: Tensor, attended: Tensor) -> Tensor:
        """What follows attention (B, heads, T, F / heads)."""
        h = h + self.join(attended.transpose(1, 2).flatten(2))
        out: Tensor = h + self.feed(self.between(h))
        return out


def divisible(width: int, heads: int) -> None:
    """Raise UsageError where the heads do not share the width evenly."""
    if width % heads:
        raise UsageError(f"width: {width} is no multiple of heads {heads}; change one of them")


@final
class TransformerEncoder(Encoder):
    """q(z|x,c) from the mean over the symbols of a Transformer's last layer.

    Arguments:
        width: Width of the layers.
        heads: Heads of the attention.
        layers: Number of layers.

    >>> from vaehub.model.posteriors import DiagNormal
    >>> encoder = TransformerEncoder(Spec((7,), classes=5), DiagNormal(3), width=8, heads=2, layers=1)
    >>> encoder(Batch(torch.tensor([[1, 2, 0, 0, 0, 0, 0]]))).mean.shape
    torch.Size([1, 3])
    """

    def __init__(
        self, spec: Spec, posterior: Posterior, *, width: PositiveInt = 256, heads: PositiveInt = 4, layers: Layers = 3
    ) -> None:
        super().__init__(spec, posterior)
        if len(spec.shape) != 1 or not spec.classes:
            raise UsageError(
                f"encoder transformer: reads rows of symbols, not rows of shape {spec.shape}; use a domain of strings"
            )
        divisible(width, heads)
        self.embed, self.place = nn.Embedding(spec.classes, width), nn.Embedding(spec.shape[0], width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.last = nn.LayerNorm(width)
        self.head = nn.Linear(width + spec.cond, posterior.features)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        if (batch.cond is None) != (self.spec.cond == 0):
            raise UsageError(f"cond: this encoder was built for {self.spec.cond} numbers a row; give as many")
        x = batch.x.long()
        mask = until_end(x)
        longest = int(mask.sum(1).max())
        x, mask = x[:, :longest], mask[:, :longest]
        h = self.embed(x) + self.place.weight[:longest]
        for block in self.blocks:
            h = block(h, mask[:, None, None])
        h = (self.last(h) * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        condition = [] if batch.cond is None else [batch.cond]
        q: Distribution = self.posterior(self.head(torch.cat([h, *condition], -1)))
        return q


@final
class TransformerDecoder(StringDecoder):
    """p(x|z,c) by a causal Transformer that is handed z at every place.

    Arguments:
        width: Width of the layers.
        heads: Heads of the attention.
        layers: Number of layers.
        word_dropout: Share of the symbols before that are hidden while training, so that z is needed.
        grammar: Draw only strings that follow the grammar of SMILES.
        temperature: Of drawn strings, p^(1/temperature) symbol by symbol; 0 takes the likeliest.

    >>> from vaehub.model.likelihoods import Categorical
    >>> spec = Spec((7,), classes=5)
    >>> px = TransformerDecoder(spec, 3, Categorical(spec), width=8, heads=2, layers=1)(torch.zeros(2, 3))
    >>> px.sample().shape, px.log_prob(torch.zeros(2, 7)).shape
    (torch.Size([2, 7]), torch.Size([2, 7]))
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        width: PositiveInt = 256,
        heads: PositiveInt = 4,
        layers: Layers = 3,
        word_dropout: Share = 0.1,
        grammar: bool = True,
        temperature: Temperature = 1.0,
    ) -> None:
        super().__init__(spec, latent, likelihood, width, width, word_dropout, grammar, temperature)
        divisible(width, heads)
        self.heads_of, self.code = heads, nn.Linear(self.code_size, width)
        self.place = nn.Embedding(spec.shape[0], width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.last = nn.LayerNorm(width)

    def features(self, embedded: Tensor, code: Tensor) -> Tensor:
        """Features (B, T, F) of every symbol of a string."""
        h = embedded + self.place.weight[: embedded.shape[1]] + self.code(code).unsqueeze(1)
        for block in self.blocks:
            h = block(h, causal=True)
        out: Tensor = self.last(h)
        return out

    def initial_state(self, code: Tensor) -> State:
        """What z adds at every place, the number of places written, and each layer's keys and values, none yet."""
        width = self.place.weight.shape[1]
        none = code.new_zeros(len(code), self.heads_of, 0, width // self.heads_of)
        written = torch.zeros(len(code), dtype=torch.long, device=code.device)
        return [self.code(code), written, *(none for _ in range(2 * len(self.blocks)))]

    def next_features(self, embedded: Tensor, state: State) -> tuple[Tensor, State]:
        """One more place."""
        code, written, *kept = state
        h = (embedded + self.place(written) + code).unsqueeze(1)
        after: State = []
        for block, keys, values in zip(self.blocks, kept[::2], kept[1::2], strict=True):
            h, keys, values = block.append(h, keys, values)  # type: ignore[operator]
            after += [keys, values]
        out: Tensor = self.last(h).squeeze(1)
        return out, [code, written + 1, *after]
