"""A sample of a file's molecules, for which the others are not parsed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import numpy as np

from vaehub_molecules.chem.canonical_many import StandardisedOrRejected
from vaehub_molecules.chem.changes import Standardised
from vaehub_molecules.domains.splitting import hash_order
from vaehub_molecules.files.records import Records


class Sample(NamedTuple):
    """So many different molecules, drawn by the hashes of their texts with a seed."""

    molecules: int
    seed: int = 0


def sample_answers(
    records: Records, read: Callable[[list[str]], list[StandardisedOrRejected]], sample: Sample
) -> tuple[Records, list[StandardisedOrRejected]]:
    """Records in the order of their hashes until enough different molecules are found, whatever the order of the file.

    Arguments:
        records: N, of which those with the same text are taken or left together.
        read: canonical SMILES of texts, or why there is none.
        sample: how many different molecules; there are fewer where the file has no more.

    Returns:
        the records that were read, in the order of the file, with as large a share of those that could not be split; and their answers.
    """
    texts = list(dict.fromkeys(records.texts))
    order = map(texts.__getitem__, hash_order(texts, sample.seed))
    answers: dict[str, StandardisedOrRejected] = {}
    molecules: set[str] = set()
    while drawn := list(islice(order, max(0, sample.molecules - len(molecules)))):
        found = read(drawn)
        answers.update(zip(drawn, found, strict=True))
        molecules.update(answer.smiles for answer in found if isinstance(answer, Standardised))
    places = [place for place, text in enumerate(records.texts) if text in answers]
    share = len(places) / max(1, len(records.texts))
    broken = hash_order([line.text for line in records.broken], sample.seed)[: round(share * len(records.broken))]
    drawn_records = Records(
        [records.texts[place] for place in places],
        [records.numbers[place] for place in places],
        records.others.iloc[places].reset_index(drop=True),
        [records.broken[place] for place in np.sort(broken)],
    )
    return drawn_records, [answers[text] for text in drawn_records.texts]
