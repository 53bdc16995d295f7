"""Molecules a second: drawing against a loop to the greatest length, and training against a loop over padded rows of single symbols.

    python benchmarks/molecules/speed.py RUN --molecules zinc250k.smi.gz

Same weights, same sizes of GRU, one thread, CPU seconds; the two take turns, and the median of the turns is printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from shared import molecules, table
from torch import Tensor

import vaehub
from vaehub.base import Batch, Spec, Step
from vaehub.data.order import Order
from vaehub.model.likelihoods import Categorical
from vaehub.model.objectives import ELBO
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_molecules import LatentSpace
from vaehub_molecules.parts.autoregressive import StringDecoder, draw_strings
from vaehub_molecules.parts.gru import GRUDecoder, GRUEncoder
from vaehub_molecules.rows import MoleculeRows
from vaehub_molecules.tokens import Atoms, Kekule, Tokenizer, Vocabulary

DRAWN, BATCH, STEPS, TURNS = 2048, 256, 4, 3
Pace = Callable[[], int]  # does some molecules, and says how many


@torch.no_grad()
def to_the_end(writer: StringDecoder, code: Tensor) -> Tensor:
    """Strings (B, T) by a loop that writes every row to the greatest length."""
    last, state, out = torch.zeros(len(code), dtype=torch.long), writer.initial_state(code), []
    for _ in range(writer.spec.shape[0]):
        features, state = writer.next_features(writer.embed(last), state)
        last = torch.multinomial(writer.logits(features).softmax(-1), 1).squeeze(1)
        out.append(last)
    return torch.stack(out, 1)


def drawing(space: LatentSpace) -> dict[str, Pace]:
    """Drawing with and without an early end; the grammar is off in both, or on in the third."""
    writer, z = space.decoder, space.prior(DRAWN, 0)
    grammar = writer.grammar

    def ours(masked: bool) -> int:
        writer.grammar = grammar if masked else None
        draw_strings(writer, z, 1.0)
        writer.grammar = grammar
        return DRAWN

    return {
        "drawing, loop to the greatest length": lambda: len(to_the_end(writer, z)),
        "drawing, vaehub": lambda: ours(False),
        "drawing, vaehub with the grammar": lambda: ours(True),
    }


def model(vocabulary: Vocabulary) -> VAE:
    """The networks of configs/molecules.yaml."""
    spec = Spec((vocabulary.length,), classes=len(vocabulary))
    return VAE(GRUEncoder(spec, DiagNormal(64)), GRUDecoder(spec, 64, Categorical(spec), grammar=False), StandardNormal(spec, 64))


def steps(tokenizer: Tokenizer, smiles: list[str], alike: bool, padded: bool) -> Pace:
    """Steps of the ELBO; `alike`: batches of like length; `padded`: every position up to the greatest length is computed."""
    vocabulary = Vocabulary.learn(tokenizer, smiles)
    data, vae = MoleculeRows(vocabulary.rows(smiles), vocabulary.symbols), model(vocabulary)
    if not alike:
        data.lengths = None
    order, optimizer = iter(Order(data, BATCH)), torch.optim.AdamW(vae.parameters(), fused=True)

    def some() -> int:
        for _ in range(STEPS):
            batch = data[next(order)]
            with torch.autocast("cpu", torch.bfloat16):
                loss = padded_loss(vae, batch) if padded else ELBO()(vae(batch), Step())[0]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return STEPS * BATCH

    return some


def padded_loss(vae: VAE, batch: Batch) -> Tensor:
    """The same ELBO with every row computed to the greatest length, ends masked afterwards."""
    x, (encoder, decoder) = batch.x, (vae.encoder, vae.decoder)
    last = (x != 0).sum(1)
    places = (last.unsqueeze(1) - torch.arange(x.shape[1])).clamp(min=0)
    ways = ((encoder.forth, x), (encoder.back, x.gather(1, places)))
    states = [net(encoder.embed(way))[0][torch.arange(len(x)), last] for net, way in ways]
    q = encoder.posterior(encoder.head(torch.cat(states, -1)))
    z = q.rsample()
    logits = decoder.logits(decoder.features(decoder.shifted_embeddings(x), z))
    log_px = -F.cross_entropy(logits.flatten(0, 1), x.flatten(), reduction="none").view(x.shape)
    scored = torch.arange(x.shape[1]) <= last.unsqueeze(1)
    kl = (q.log_prob(z) - StandardNormal(vae.prior.spec, 64)().log_prob(z)).mean()
    return kl - (log_px * scored).sum(1).mean()


def pace(work: Pace) -> float:
    """Molecules a CPU second."""
    started = time.process_time()
    return work() / (time.process_time() - started)


def main() -> None:
    """Take turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--molecules", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    space = LatentSpace(vaehub.load(given.run))
    smiles = molecules(given.molecules, 20_000, space.policy)
    contenders = drawing(space) | {
        "training, single symbols, padded to the longest": steps(Atoms(), smiles, False, True),
        "training, single symbols, vaehub": steps(Atoms(), smiles, True, False),
        "training, Kekulé pieces, padded to the longest": steps(Kekule(), smiles, False, True),
        "training, Kekulé pieces, vaehub": steps(Kekule(), smiles, True, False),
    }
    paces = {name: [pace(work) for _ in range(TURNS + 1)][1:] for name, work in contenders.items()}
    table(("what", "molecules a CPU second"), [[name, float(np.median(found))] for name, found in paces.items()])


if __name__ == "__main__":
    main()
