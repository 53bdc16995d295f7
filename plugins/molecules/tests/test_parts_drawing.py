"""Strings as they are drawn: as the network has them among those that follow the grammar, each row at its own temperature."""

from types import SimpleNamespace

import pytest
import torch

from vaehub.base import Spec
from vaehub.model.likelihoods import Categorical
from vaehub_molecules.parts.autoregressive import GrammarConstraint, StringDistribution, draw_strings, sample_symbols, try_strings
from vaehub_molecules.parts.gru import GRUDecoder
from vaehub_molecules.tokens.grammar import Grammar

VOCABULARY = ["", "C", "N", "O", "(", ")", "=", "1"]
ROWS = 20_000
LOGITS = torch.tensor([0.3, 1.0, -0.5, 0.0, 1.5, 2.0, 0.7, -1.0])


def reading(rows: int) -> GrammarConstraint:
    grammar = Grammar(len(VOCABULARY))
    grammar.learn(VOCABULARY)
    return GrammarConstraint(SimpleNamespace(grammar=grammar), torch.zeros(rows, 2))


def shares(tokens: torch.Tensor) -> torch.Tensor:
    return tokens.bincount(minlength=len(VOCABULARY)) / len(tokens)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_symbols_are_drawn_in_proportion_to_their_chances(temperature):
    drawn = sample_symbols(LOGITS.expand(ROWS, -1), torch.full((ROWS,), temperature))
    torch.testing.assert_close(shares(drawn), (LOGITS / temperature).softmax(0), atol=0.015, rtol=0)


def test_what_the_grammar_forbids_is_drawn_anew_among_what_it_allows():
    book, logits, temperatures = reading(ROWS), LOGITS.expand(ROWS, -1), torch.ones(ROWS)
    allowed = book.grammar.allowed(book.state, 9)[0]
    assert 0 < allowed.sum() < len(VOCABULARY)
    first = sample_symbols(logits, temperatures)
    drawn = book.redraw(first, logits, temperatures, book.forbids(first, 9), 9)
    expected = LOGITS.masked_fill(~allowed, -torch.inf).softmax(0)
    torch.testing.assert_close(shares(drawn), expected, atol=0.015, rtol=0)
    assert shares(drawn)[~allowed].sum() == 0


def test_rows_that_have_ended_are_left_alone():
    book, logits, temperatures = reading(4), LOGITS.expand(4, -1), torch.zeros(4)
    live = torch.tensor([True, False, True, False])
    first = sample_symbols(logits, temperatures)
    drawn = book.redraw(first, logits, temperatures, live & book.forbids(first, 9), 9)
    assert drawn[~live].eq(5).all(), "the likeliest symbol, which cannot stand first"
    assert drawn[live].eq(1).all()


def test_every_row_has_its_own_temperature():
    logits = LOGITS.expand(ROWS, -1)
    temperatures = torch.tensor([0.0, 1.0]).repeat(ROWS // 2)
    drawn = sample_symbols(logits, temperatures)
    assert drawn[temperatures == 0].eq(5).all()
    torch.testing.assert_close(shares(drawn[temperatures > 0]), LOGITS.softmax(0), atol=0.02, rtol=0)


def test_what_has_no_chance_is_never_drawn():
    logits = torch.full((ROWS, 3), -torch.inf)
    logits[:, 1] = 0.0
    assert sample_symbols(logits, torch.ones(ROWS)).eq(1).all()


def test_strings_are_distributed_as_the_network_has_them_among_well_formed_ones():
    """Not as symbols drawn one by one among those allowed."""
    spec = Spec((4,), classes=len(VOCABULARY))
    torch.manual_seed(0)
    writer = GRUDecoder(spec, 2, Categorical(spec), embedding=4, width=8)
    writer.grammar.learn(VOCABULARY)
    writer.out.bias.data[1] += 2.0  # more of the strings are well-formed
    code, every = torch.zeros(30_000, 2), torch.ones(30_000, dtype=torch.bool)
    free, broken = try_strings(writer, code, torch.ones(len(code)), ~every)
    by_symbol, none_broken = try_strings(writer, code, torch.ones(len(code)), every)
    expected, drawn, other = (shares_of_strings(x) for x in (free[~broken], draw_strings(writer, code, 1.0), by_symbol))
    assert 0.2 < broken.float().mean() < 0.8
    assert not none_broken.any()
    torch.testing.assert_close(drawn, expected, atol=0.015, rtol=0)
    assert (other - expected).abs().max() > 0.03


def shares_of_strings(x: torch.Tensor) -> torch.Tensor:
    numbers = x @ torch.tensor([512, 64, 8, 1])
    return numbers.bincount(minlength=4096) / len(x)


def test_every_draw_of_a_row_has_the_temperature_of_the_row():
    spec = Spec((6,), classes=len(VOCABULARY))
    writer = GRUDecoder(spec, 2, Categorical(spec), embedding=4, width=8, grammar=False)
    code = torch.randn(1, 2).repeat(2, 1)
    x = StringDistribution(writer, code).sample((50,), temperature=torch.tensor([0.0, 1.0]))
    assert x[:, 0].eq(x[0, 0]).all(), "the likeliest string each time"
    assert x[:, 1].unique(dim=0).shape[0] > 10
