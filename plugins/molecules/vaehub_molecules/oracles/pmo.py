"""The objectives of the benchmark PMO that need nothing but RDKit, in the definitions of GuacaMol 0.5.5.

"GuacaMol: Benchmarking Models for de Novo Molecular Design" (Brown et al., 2019), doi:10.1021/acs.jcim.8b00839; "Sample Efficiency
Matters: A Benchmark for Practical Molecular Optimization" (Gao et al., 2022), arXiv:2206.12411.
"""

from __future__ import annotations

from vaehub_molecules.oracles.isomers import isomers
from vaehub_molecules.oracles.modifiers import ArithmeticMean, AtLeast, AtMost, Clipped, GeometricMean, Near
from vaehub_molecules.oracles.terms import Descriptor, ElementCount, HasPattern, LacksPattern, Similarity, Term, target_value

ALBUTEROL = "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1"
AMLODIPINE = r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC"
CAMPHOR = "CC1(C)C2CCC1(C)C(=O)C2"
CELECOXIB = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
FEXOFENADINE = "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4"
HOP = "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C"
MENTHOL = "CC(C)C1CCC(C)CC1O"
MESTRANOL = "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"
OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
PERINDOPRIL = "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC"
RANOLAZINE = "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2"
SILDENAFIL = "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C"
SITAGLIPTIN = "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F"
TADALAFIL = "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C"
THIOTHIXENE = "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1"
TROGLITAZONE = "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O"
ZALEPLON = "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1"
SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"

LOGP, TPSA, BERTZ = Descriptor("logp"), Descriptor("tpsa"), Descriptor("bertz")

TERMS: dict[str, Term] = {
    "albuterol_similarity": Clipped(Similarity(ALBUTEROL, "FCFP4"), 0.75),
    "amlodipine_mpo": GeometricMean((Similarity(AMLODIPINE), Near(Descriptor("rings"), 3, 0.5))),
    "celecoxib_rediscovery": Similarity(CELECOXIB),
    "deco_hop": ArithmeticMean(
        (
            Clipped(Similarity(HOP, "PHCO"), 0.85),
            LacksPattern("CS([#6])(=O)=O"),
            LacksPattern("[#7]-c1ccc2ncsc2c1"),
            HasPattern(SCAFFOLD),
        ),
    ),
    "fexofenadine_mpo": GeometricMean((Clipped(Similarity(FEXOFENADINE, "AP"), 0.8), AtLeast(TPSA, 90, 10), AtMost(LOGP, 4, 1))),
    "isomers_c7h8n2o2": isomers("C7H8N2O2"),
    "isomers_c9h10n2o2pf2cl": isomers("C9H10N2O2PF2Cl"),
    "median1": GeometricMean((Similarity(MENTHOL), Similarity(CAMPHOR))),
    "median2": GeometricMean((Similarity(TADALAFIL, "ECFP6"), Similarity(SILDENAFIL, "ECFP6"))),
    "mestranol_similarity": Clipped(Similarity(MESTRANOL, "AP"), 0.75),
    "osimertinib_mpo": GeometricMean(
        (
            Clipped(Similarity(OSIMERTINIB, "FCFP4"), 0.8),
            AtMost(Similarity(OSIMERTINIB, "ECFP6"), 0.85, 0.1),
            AtLeast(TPSA, 100, 10),
            AtMost(LOGP, 1, 1),
        )
    ),
    "perindopril_mpo": GeometricMean((Similarity(PERINDOPRIL), Near(Descriptor("aromatic_rings"), 2, 0.5))),
    "qed": Descriptor("qed"),
    "ranolazine_mpo": GeometricMean(
        (Clipped(Similarity(RANOLAZINE, "AP"), 0.7), AtLeast(LOGP, 7, 1), Near(ElementCount("F"), 1, 1), AtLeast(TPSA, 95, 20))
    ),
    "scaffold_hop": ArithmeticMean(
        (
            Clipped(Similarity(HOP, "PHCO"), 0.75),
            HasPattern("[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"),
            LacksPattern(SCAFFOLD),
        )
    ),
    "sitagliptin_mpo": GeometricMean(
        (
            Near(Similarity(SITAGLIPTIN), 0, 0.1),
            Near(LOGP, target_value("logp", SITAGLIPTIN), 0.2),
            Near(TPSA, target_value("tpsa", SITAGLIPTIN), 5),
            isomers("C16H15F6N5O"),
        )
    ),
    "thiothixene_rediscovery": Similarity(THIOTHIXENE),
    "troglitazone_rediscovery": Similarity(TROGLITAZONE),
    "valsartan_smarts": GeometricMean(
        (
            HasPattern("CN(C=O)Cc1ccc(c2ccccc2)cc1"),
            Near(LOGP, target_value("logp", SITAGLIPTIN), 0.2),
            Near(TPSA, target_value("tpsa", SITAGLIPTIN), 5),
            Near(BERTZ, target_value("bertz", SITAGLIPTIN), 30),
        )
    ),
    "zaleplon_mpo": GeometricMean((Similarity(ZALEPLON), isomers("C19H17N3O2"))),
}
