"""What decoders of strings share: p(x|z,c) one symbol after the other, read off, drawn, or relaxed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, TypeAlias, final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from vaehub import Data, Decoder, Likelihood, Outcome, Spec, UsageError
from vaehub_molecules.parts.heads import Heads
from vaehub_molecules.rows import MoleculeFacts
from vaehub_molecules.tokens.grammar import Grammar
from vaehub_molecules.tokens.vocabulary import END

TRIES = 10  # strings that are drawn for a code, at most, until one follows the grammar
COMPACT_BELOW = 0.97  # rows are gathered anew when fewer than this share of them are unfinished
State: TypeAlias = list[Tensor]  # whatever a network carries from step to step, each (B, …)
Share = Annotated[float, Field(ge=0, lt=1)]
Temperature = Annotated[float, Field(ge=0, le=10)]


class StringDecoder(Decoder):
    """A decoder that writes strings: it embeds the symbol before, carries a state, and gives features of the symbol to come.

    `word_dropout`: share of the symbols that the network does not see in training, so that it must read z: "Generating Sentences from a
    Continuous Space" (Bowman et al., 2016), arXiv:1511.06349. `temperature`: of drawn strings, p^(1/temperature) symbol by symbol.
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        embedding: int,
        width: int,
        word_dropout: float,
        grammar: bool,
        temperature: float,
    ) -> None:
        super().__init__(spec, latent, likelihood)
        if len(spec.shape) != 1 or not spec.classes:
            raise UsageError(
                f"a decoder of strings needs rows of symbols, not rows of shape {spec.shape}; use a domain of strings"
            )
        self.word_dropout, self.temperature, self.code_size = word_dropout, temperature, latent + spec.cond
        self.embed, self.out = nn.Embedding(spec.classes, embedding), nn.Linear(width, likelihood.param_shape[0])
        self.heads = Heads(spec, latent) if spec.targets else None
        self.grammar = Grammar(spec.classes) if grammar else None

    def initialise(self, data: Data) -> None:
        """Learn the grammar of the symbols, where the rows say what their symbols are."""
        facts = data.facts
        if self.grammar is not None and isinstance(facts, MoleculeFacts):
            self.grammar.learn(facts.symbols)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B, T)."""
        if (cond is None) != (self.spec.cond == 0):
            raise UsageError(f"cond: this decoder was built for {self.spec.cond} numbers a row; give as many")
        return StringDistribution(self, z if cond is None else torch.cat([z, cond], -1))

    @abstractmethod
    def features(self, embedded: Tensor, code: Tensor) -> Tensor:
        """Features (B, T, F) of every symbol of a string, from the symbols before it (B, T, E)."""

    @abstractmethod
    def initial_state(self, code: Tensor) -> State:
        """The state before the first symbol."""

    @abstractmethod
    def next_features(self, embedded: Tensor, state: State) -> tuple[Tensor, State]:
        """Features (B, F) of the symbol to come, from the one before it (B, E) and the state, and the state after."""

    def shifted_embeddings(self, x: Tensor) -> Tensor:
        """Embeddings (B, T, E) of the symbol before each; of END before the first."""
        embedded: Tensor = self.embed(F.pad(x[:, :-1], (1, 0), value=END))
        if not self.training or not self.word_dropout:
            return embedded
        return embedded * (torch.rand(*x.shape, 1, device=x.device) >= self.word_dropout)

    def logits(self, features: Tensor) -> Tensor:
        """Unnormalised log-probabilities (…, V) in full precision."""
        scores: Tensor = self.out(features)
        return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores


@final
class StringDistribution(Outcome):
    """p(x|z,c) of strings, batch (B, T): log_prob is teacher forcing; symbols after the first END have probability 1.

    Where the writer knows a grammar, samples and modes are drawn from what it allows; log_prob is of the network alone.
    """

    def __init__(self, decoder: StringDecoder, code: Tensor) -> None:
        self.decoder, self.code = decoder, code
        super().__init__(torch.Size((len(code), *decoder.spec.shape)), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        """That of the likelihood."""
        return self.decoder.likelihood.support

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(x_t | x_<t, z, c) of every symbol (B, T), in nats."""
        x = value.long()
        scored = until_end(x)
        longest = int(scored.sum(1).max())
        x, scored = x[:, :longest], scored[:, :longest]
        features = self.decoder.features(self.decoder.shifted_embeddings(x), self.code)
        log_px = -F.cross_entropy(self.decoder.logits(features[scored]), x[scored], reduction="none")
        out = log_px.new_zeros(x.shape).masked_scatter(scored, log_px)
        return F.pad(out, (0, value.shape[1] - longest))

    @property
    def mode(self) -> Tensor:
        """The likeliest symbol after those before it: greedy, not the joint mode."""
        return draw_strings(self.decoder, self.code, temperature=0.0)

    def sample(self, sample_shape: Sequence[int] = (), temperature: float | Tensor | None = None) -> Tensor:
        """x (*sample_shape, B, T), at the writer's temperature or another, which may be one a row; 0 gives the mode."""
        shape = torch.Size(sample_shape)
        temperatures = torch.as_tensor(self.decoder.temperature if temperature is None else temperature).expand(len(self.code))
        x = draw_strings(self.decoder, self.code.repeat(shape.numel(), 1), temperatures.repeat(shape.numel()))
        return x.view(*shape, *self.batch_shape)


def until_end(x: Tensor) -> Tensor:
    """Which symbols (B, T) count: those up to and including the first END."""
    ends = x == END
    return (ends.cumsum(1) - ends.long()) == 0


@final
class GrammarConstraint:
    """What the grammar makes of the strings written so far; without a grammar, nothing."""

    def __init__(self, decoder: StringDecoder, code: Tensor) -> None:
        usable = decoder.grammar is not None and decoder.grammar.learnt
        self.grammar = decoder.grammar if usable else None
        self.state = None if self.grammar is None else self.grammar.start(len(code), code.device)

    def forbids(self, token: Tensor, remaining: int) -> Tensor:
        """Which rows (B,) cannot go on by these symbols (B,), where so many are left."""
        if self.grammar is None or self.state is None:
            return torch.zeros_like(token, dtype=torch.bool)
        return ~self.grammar.allows(self.state, token, remaining)

    def redraw(self, token: Tensor, logits: Tensor, temperatures: Tensor, wrong: Tensor, remaining: int) -> Tensor:
        """Symbols (B,), those of the `wrong` rows (B,) drawn anew among those allowed."""
        rows = wrong.nonzero().squeeze(1)
        if len(rows) and self.grammar is not None and self.state is not None:
            allowed = self.grammar.allowed(self.grammar.select(self.state, rows), remaining)
            token[rows] = sample_symbols(logits[rows].masked_fill(~allowed, -torch.inf), temperatures[rows])
        return token

    def step(self, token: Tensor) -> None:
        """Go on by symbols (B,)."""
        if self.grammar is not None and self.state is not None:
            self.state = self.grammar.step(self.state, token)

    def select(self, rows: Tensor) -> None:
        """Keep some rows."""
        if self.grammar is not None and self.state is not None:
            self.state = self.grammar.select(self.state, rows)


@torch.no_grad()
def draw_strings(decoder: StringDecoder, code: Tensor, temperature: float | Tensor) -> Tensor:
    """Strings (B, T) for codes (B, L + C): drawn from p^(1/temperature), or the likeliest symbol at each step where it is 0; one for all, or (B,).

    A drawn string that breaks the grammar is drawn anew as a whole, so that strings are distributed as p(x|z) is among well-formed ones. Only
    in the last of `TRIES`, and in the likeliest string, is each symbol taken among those that can stand there: that favours strings which
    begin well and must then go on as no molecule does. "Grammar-Aligned Decoding" (Park et al., 2024), arXiv:2405.21047.
    """
    temperatures = torch.as_tensor(temperature, device=code.device).expand(len(code))
    x, broken = try_strings(decoder, code, temperatures, by_symbol=temperatures == 0)
    for turn in range(2, TRIES + 1):
        rows = broken.nonzero().squeeze(1)
        if not len(rows):
            break
        by_symbol = torch.full_like(broken[rows], turn == TRIES)
        x[rows], broken[rows] = try_strings(decoder, code[rows], temperatures[rows], by_symbol)
    return x


def try_strings(decoder: StringDecoder, code: Tensor, temperatures: Tensor, by_symbol: Tensor) -> tuple[Tensor, Tensor]:
    """A string (B, T) for each code, and which of them broke the grammar (B,): none of those whose symbols are taken among what is allowed."""
    steps = decoder.spec.shape[0]
    x = torch.full((len(code), steps), END, device=code.device)
    rows, last = torch.arange(len(code), device=code.device), torch.full((len(code),), END, device=code.device)
    state, constraint = decoder.initial_state(code), GrammarConstraint(decoder, code)
    unfinished, broken = torch.ones_like(last, dtype=torch.bool), torch.zeros_like(last, dtype=torch.bool)
    for step in range(steps):
        features, state = decoder.next_features(decoder.embed(last), state)
        logits = decoder.logits(features)
        last = sample_symbols(logits, temperatures)
        wrong = unfinished & constraint.forbids(last, steps - step)
        last = x[rows, step] = constraint.redraw(last, logits, temperatures, wrong & by_symbol, steps - step)
        constraint.step(last)
        given_up = wrong & ~by_symbol
        broken[rows[given_up]] = True
        unfinished = unfinished & (last != END) & ~given_up
        count = int(unfinished.sum())
        if not count:
            break
        if count < COMPACT_BELOW * len(rows):
            kept = unfinished.nonzero().squeeze(1)
            rows, last, temperatures, by_symbol = rows[kept], last[kept], temperatures[kept], by_symbol[kept]
            state, unfinished = [s[kept] for s in state], unfinished[kept]
            constraint.select(kept)
    return pad_with_end(x), broken


def sample_symbols(logits: Tensor, temperature: Tensor) -> Tensor:
    """A symbol for every row (B, V) -> (B,), at its temperature (B,)."""
    likeliest = logits.argmax(-1)
    if not temperature.any():
        return likeliest
    total = (logits / temperature.clamp(min=1e-6)[:, None]).softmax(-1).cumsum(-1)
    point = total[:, -1:] * (1 - torch.rand(len(logits), 1, device=logits.device))  # over 0: what has no chance is never met
    return torch.where(temperature > 0, torch.searchsorted(total, point).squeeze(1), likeliest)


def pad_with_end(x: Tensor) -> Tensor:
    """The strings with END after their first END: rows that waited to be left out have been written on."""
    return torch.where((x == END).cumsum(1) > 0, END, x)
