"""Cheap checks of a string before RDKit sees it: they need no molecule, cost microseconds and keep out what could hang a parser."""

from __future__ import annotations

import re
from collections import Counter

from vaehub import hints
from vaehub_molecules.chem.reasons import Reason, Rejected

FOREIGN_CHARACTER = re.compile(r"[^A-Za-z0-9\[\]()+\-=#$:/\\.@%*~<>]")
BRACKET_ATOM = re.compile(r"\[[^\[\]]*\]")
RING = re.compile(r"%\((\d+)\)|%(\d\d)|(\d)")
BRANCH = re.compile(r"[()]")
MAX_RINGS = 100  # bonds that close a ring; buckminsterfullerene has 31
SAFE_RINGS = 24  # with more than these a string goes to a worker that can be stopped
MAX_NESTING = 100  # RDKit's parser is recursive
MAX_BLOCK = 200_000  # characters; an atom and its bonds have about a hundred


def check_text(text: str, max_length: int) -> None:
    """Raises Rejected where a string is certainly no SMILES, or one that is not worth the risk of parsing."""
    if not text:
        raise Rejected(Reason.EMPTY)
    if len(text) > max_length:
        raise Rejected(Reason.LONG, f"{len(text):,} characters, {max_length:,} allowed")
    if alien := FOREIGN_CHARACTER.search(text):
        raise Rejected(Reason.CHARACTER, f"{hints.quoted(alien[0])} at {alien.start()}")
    bare = BRACKET_ATOM.sub("", text)
    if "[" in bare or "]" in bare:
        raise Rejected(Reason.BRACKETS)
    check_branches(bare)
    check_rings(bare)


def check_block(block: str) -> None:
    """Raises Rejected where a mol block is longer than one of a molecule that could be kept."""
    if len(block) > MAX_BLOCK:
        raise Rejected(Reason.LONG, f"{len(block):,} characters, {MAX_BLOCK:,} allowed")


def check_branches(bare: str) -> None:
    """Every parenthesis that opens closes, not too deep."""
    depth = deepest = 0
    for sign in BRANCH.findall(bare):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if depth:
        raise Rejected(Reason.PARENTHESES)
    if deepest > MAX_NESTING:
        raise Rejected(Reason.NESTED, f"{deepest} deep, {MAX_NESTING} allowed")


def check_rings(bare: str) -> None:
    """Every ring number that opens closes, and there are not too many."""
    counts = Counter(ring_numbers(bare))
    if odd := [number for number, times in counts.items() if times % 2]:
        raise Rejected(Reason.UNPAIRED, odd[0])
    if counts.total() > 2 * MAX_RINGS:
        raise Rejected(Reason.CYCLIC, f"{counts.total() // 2} ring bonds, {MAX_RINGS} allowed")


def ring_numbers(bare: str) -> list[str]:
    """The numbers of ring bonds, without bracket atoms."""
    return ["".join(match) for match in RING.findall(bare)]


def needs_worker(smiles: str, extension: str = "") -> bool:
    """Whether a string that passed the checks had better be parsed where it can be stopped: one with many rings, or with an extension."""
    return bool(extension) or len(ring_numbers(BRACKET_ATOM.sub("", smiles))) > 2 * SAFE_RINGS
