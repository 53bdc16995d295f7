"""Twelve objectives of our own, from 0 to about 1, as a chemist may have them; options were chosen on DEVELOPMENT, HELD_OUT was only run.

None of them is of PMO or GuacaMol. Random forests are fitted to labels that a rule and noise gave to molecules outside of the pool.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
from rdkit.Chem import Crippen, Descriptors, GetDistanceMatrix, Mol, MolFromSmarts, MolFromSmiles, MolToSmiles, rdMolDescriptors
from rdkit.Chem.rdFingerprintGenerator import (
    GetAtomPairGenerator,
    GetMorganFeatureAtomInvGen,
    GetMorganGenerator,
    GetTopologicalTorsionGenerator,
)
from rdkit.Chem.Scaffolds.MurckoScaffold import GetScaffoldForMol
from rdkit.DataStructs import TanimotoSimilarity
from sklearn.ensemble import RandomForestRegressor

Objective = Callable[[str], float]
pattern = lru_cache(MolFromSmarts)

DRUGS = {
    "lapatinib": "CS(=O)(=O)CCNCc1ccc(o1)-c1ccc2ncnc(Nc3ccc(OCc4cccc(F)c4)c(Cl)c3)c2c1",
    "donepezil": "COc1cc2CC(CC3CCN(Cc4ccccc4)CC3)C(=O)c2cc1OC",
    "haloperidol": "OC1(CCN(CCCC(=O)c2ccc(F)cc2)CC1)c1ccc(Cl)cc1",
    "citalopram": "CN(C)CCCC1(OCc2cc(ccc12)C#N)c1ccc(F)cc1",
    "rivaroxaban": "O=C(NCC1CN(C(=O)O1)c1ccc(cc1)N1CCOCC1=O)c1ccc(Cl)s1",
    "glibenclamide": "COc1ccc(Cl)cc1C(=O)NCCc1ccc(cc1)S(=O)(=O)NC(=O)NC1CCCCC1",
}
FINGERPRINTS = {
    "ecfp4": GetMorganGenerator(radius=2).GetSparseCountFingerprint,
    "fcfp4": GetMorganGenerator(radius=2, atomInvariantsGenerator=GetMorganFeatureAtomInvGen()).GetSparseCountFingerprint,
    "pairs": GetAtomPairGenerator().GetSparseCountFingerprint,
    "torsions": GetTopologicalTorsionGenerator().GetSparseCountFingerprint,
}
FEATURES = {
    "donor": "[N,O;!H0]",
    "acceptor": "[O,n;H0;X1,X2;+0]",
    "aromatic": "[a;r6]",
    "amine": "[NX3;+0;!$(N[C,S]=[O,N,S]);!$(N-a)]",
    "halogen": "[F,Cl,Br]",
    "greasy": "[CX4;H2,H3;!$(C[N,O])]",
}
MW, LOGP, TPSA = Descriptors.MolWt, Crippen.MolLogP, rdMolDescriptors.CalcTPSA
ROTATABLE, RINGS = rdMolDescriptors.CalcNumRotatableBonds, rdMolDescriptors.CalcNumRings
DONORS, ACCEPTORS = rdMolDescriptors.CalcNumHBD, rdMolDescriptors.CalcNumHBA
SP3 = rdMolDescriptors.CalcFractionCSP3


def window(value: float, low: float, high: float, slope: float) -> float:
    """1 from low to high, outside of it exp(-(distance / slope)^2 / 2)."""
    return math.exp(-(((value - min(max(value, low), high)) / slope) ** 2) / 2)


def count(mol: Mol, smarts: str) -> int:
    """How often a pattern matches."""
    return len(mol.GetSubstructMatches(pattern(smarts)))


def mean(*terms: float) -> float:
    """The geometric mean."""
    return float(np.prod(np.maximum(terms, 0)) ** (1 / len(terms)))


@lru_cache
def reference(drug: str, kind: str) -> object:
    """The fingerprint of a drug."""
    return FINGERPRINTS[kind](MolFromSmiles(DRUGS[drug]))


def likeness(mol: Mol, drug: str, kind: str) -> float:
    """Tanimoto similarity of counts."""
    return float(TanimotoSimilarity(FINGERPRINTS[kind](mol), reference(drug, kind)))


def noise(mol: Mol, width: float) -> float:
    """A normal number that depends on the molecule alone."""
    return width * float(np.random.default_rng(zlib.crc32(MolToSmiles(mol).encode())).standard_normal())


def kinase_activity(mol: Mol) -> float:
    """A rule for labels: hinge binders, an amide, some grease, few halogens."""
    hinge = min(
        count(mol, "c1ncnc2ccccc12") + count(mol, "[nH]1nccc1") + count(mol, "c1cnc(N)nc1") + 0.3 * count(mol, "[n;r6]"), 2
    )
    return (
        4.5
        + 1.2 * hinge
        + 0.8 * min(count(mol, "C(=O)[NH]c"), 1)
        + 0.7 * window(LOGP(mol), 2.5, 4, 1)
        - 0.4 * max(count(mol, "[Cl,Br,I]") - 1, 0)
    )


def amine_activity(mol: Mol) -> float:
    """Another: a basic amine at four to six bonds from an aromatic ring, two rings of them, no acid."""
    return (
        4
        + 2.5 * at_distance(mol, "amine", "aromatic", 5, 1)
        + 0.6 * min(count(mol, "c1ccccc1"), 2)
        - 1.5 * min(count(mol, "C(=O)[OH]"), 1)
        + 0.3 * SP3(mol)
    )


def forest(rule: Callable[[Mol], float], molecules: Sequence[str], seed: int) -> Callable[[Mol], float]:
    """A random forest on ECFP4 bits, fitted to what the rule says of molecules and noise, scaled so that its labels' 1 and 99 % are 0 and 1."""
    rng, bits = np.random.default_rng(seed), GetMorganGenerator(radius=2, fpSize=1024).GetFingerprintAsNumPy
    mols = [MolFromSmiles(smiles) for smiles in molecules]
    y = np.array([rule(mol) for mol in mols]) + rng.normal(0, 0.4, len(mols))
    model = RandomForestRegressor(30, min_samples_leaf=2, max_features=0.2, random_state=seed)
    trees = [tree.tree_ for tree in model.fit(np.array([bits(mol) for mol in mols]), y).estimators_]
    low, high = np.quantile(y, [0.01, 0.99])

    def predict(mol: Mol) -> float:
        """The mean of the trees, asked one by one: `model.predict` takes ten times as long for one molecule."""
        row = bits(mol)[None].astype(np.float32)
        return float((np.mean([tree.predict(row) for tree in trees]) - low) / (high - low))

    return predict


def at_distance(mol: Mol, first: str, second: str, bonds: float, width: float) -> float:
    """How nearly some two features lie so many bonds apart: 1 where they do, 0 where one is missing."""
    one, other = ([match[0] for match in mol.GetSubstructMatches(pattern(FEATURES[name]))] for name in (first, second))
    if not one or not other:
        return 0.0
    gaps = np.abs(GetDistanceMatrix(mol)[np.ix_(one, other)] - bonds)
    return math.exp(-((float(gaps.min()) / width) ** 2) / 2)


def docking(mol: Mol, wishes: Sequence[tuple[str, str, float]], size: float) -> float:
    """A pocket that wishes pairs of features at distances, pays a little for atoms up to a size, and is noisy (sd 0.05)."""
    fit = float(np.mean([at_distance(mol, *wish, 0.7) for wish in wishes]))
    bulk = (
        min(mol.GetNumHeavyAtoms(), size) / size
        - 0.05 * max(mol.GetNumHeavyAtoms() - size, 0)
        - 0.03 * max(ROTATABLE(mol) - 6, 0)
    )
    return 0.7 * fit + 0.3 * bulk + noise(mol, 0.05)


def two_drugs(mol: Mol, first: str, second: str, kind: str) -> float:
    """Like both of two drugs."""
    return mean(likeness(mol, first, kind), likeness(mol, second, kind))


def hop(mol: Mol, drug: str, kind: str) -> float:
    """Like a drug by pairs or features, with another scaffold."""
    scaffold, old = GetScaffoldForMol(mol), GetScaffoldForMol(MolFromSmiles(DRUGS[drug]))
    same = TanimotoSimilarity(FINGERPRINTS["ecfp4"](scaffold), FINGERPRINTS["ecfp4"](old))
    return likeness(mol, drug, kind) * window(same, 0, 0.3, 0.15)


def decoration(mol: Mol, core: str, wanted: float) -> float:
    """What is wanted of the molecule, a quarter of it without the core."""
    return wanted * (1.0 if mol.HasSubstructMatch(pattern(core)) else 0.25)


def drug_like(mol: Mol, activity: Callable[[Mol], float]) -> float:
    """Active, neither too greasy nor too small."""
    return mean(activity(mol), window(LOGP(mol), 2, 3.5, 0.7), window(MW(mol), 350, 430, 40))


def acid_window(mol: Mol) -> float:
    """A sulfonamide with one ring of nitrogen, no nitro, halogen or Michael acceptor, in windows."""
    wanted = 1.0 if count(mol, "S(=O)(=O)[NX3]") == 1 else 0.3
    nitrogen = min(count(mol, "[n;r5,r6]"), 2) / 2
    bad = count(mol, "[N+](=O)[O-]") + count(mol, "[F,Cl,Br,I]") + count(mol, "C=CC=O")
    return mean(
        window(MW(mol), 340, 420, 40),
        window(LOGP(mol), 1, 2.5, 0.7),
        window(TPSA(mol), 90, 120, 15),
        wanted,
        0.2 + 0.8 * nitrogen,
        0.5**bad,
    )


def brain_window(mol: Mol) -> float:
    """A fluorinated ring and a saturated amine for the brain: small, one donor, little polar surface, at most five rotatable bonds."""
    wanted = mean(0.2 + 0.8 * min(count(mol, "cF"), 1), 0.2 + 0.8 * min(count(mol, "[NX3;r5,r6;!$(NC=O);!$(N-a)]"), 1))
    windows = (window(MW(mol), 270, 360, 30), window(LOGP(mol), 2, 3.3, 0.6), window(TPSA(mol), 30, 65, 12))
    return mean(
        *windows,
        window(DONORS(mol), 1, 1, 0.7),
        window(ROTATABLE(mol), 2, 5, 1),
        wanted,
        0.4 ** count(mol, "[Cl,Br,I]"),
        0.3 + 0.7 * SP3(mol),
    )


def ligand_window(mol: Mol) -> float:
    """A pyrazole or triazole with a carboxamide and a nitrile or an ether, rather polar and rigid."""
    ring = min(count(mol, "[n;r5]n"), 1)
    groups = mean(
        0.15 + 0.85 * ring,
        0.25 + 0.75 * min(count(mol, "C(=O)[NH]"), 1),
        0.3 + 0.7 * min(count(mol, "C#N") + count(mol, "c1ccoc1"), 1),
    )
    return mean(
        groups,
        window(LOGP(mol), 1.5, 2.5, 0.5),
        window(ACCEPTORS(mol), 5, 6, 1),
        window(RINGS(mol), 3, 3, 0.7),
        window(ROTATABLE(mol), 3, 5, 1),
    )


POCKET = [("donor", "aromatic", 3), ("amine", "halogen", 9), ("acceptor", "amine", 6), ("aromatic", "acceptor", 5)]
GROOVE = [
    ("donor", "donor", 7),
    ("acceptor", "halogen", 8),
    ("aromatic", "greasy", 6),
    ("donor", "greasy", 10),
    ("amine", "acceptor", 4),
]
QUINAZOLINE = "c1ccc2ncncc2c1"
DEVELOPMENT = ("forest kinase", "window acid", "two drugs lapatinib", "docking pocket")
HELD_OUT = (
    "forest amine",
    "forest amine and windows",
    "window brain",
    "window ligand",
    "two drugs haloperidol",
    "hop rivaroxaban",
    "decoration quinazoline",
    "docking groove",
)


def objectives(molecules: Sequence[str]) -> dict[str, Objective]:
    """All twelve, by name; `molecules` are what forests are fitted to."""
    kinase, amine = forest(kinase_activity, molecules, 0), forest(amine_activity, molecules, 1)
    graded = {
        "forest kinase": kinase,
        "window acid": acid_window,
        "two drugs lapatinib": partial(two_drugs, first="lapatinib", second="donepezil", kind="ecfp4"),
        "docking pocket": partial(docking, wishes=POCKET, size=26),
        "forest amine": amine,
        "forest amine and windows": lambda mol: mean(amine(mol), window(LOGP(mol), 2, 3, 0.7), window(MW(mol), 300, 380, 40)),
        "window brain": brain_window,
        "window ligand": ligand_window,
        "two drugs haloperidol": partial(two_drugs, first="haloperidol", second="citalopram", kind="pairs"),
        "hop rivaroxaban": partial(hop, drug="rivaroxaban", kind="fcfp4"),
        "decoration quinazoline": lambda mol: decoration(mol, QUINAZOLINE, drug_like(mol, kinase)),
        "docking groove": partial(docking, wishes=GROOVE, size=28),
    }
    return {name: partial(scored, graded=graded[name]) for name in (*DEVELOPMENT, *HELD_OUT)}


def scored(smiles: str, graded: Callable[[Mol], float]) -> float:
    """The score of a molecule in SMILES."""
    return graded(MolFromSmiles(smiles))
