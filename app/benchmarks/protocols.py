"""The benchmarks on the page: title, source and protocol of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    name : on the command line; source : where it is printed, OWN if nowhere; protocol : what is done (markdown)
    """

    name: str
    title: str
    source: str
    protocol: str


OWN = ""  # source of what the papers do not report
KIAGO_PAPER = "KIAGO (Fujii *et al.*, [doi:10.1039/d5dd00250h](https://doi.org/10.1039/d5dd00250h))"
SUPERDIFF_PAPER = (
    "SuperDiff (Yuan and Dordevic, [doi:10.1038/s41598-024-61040-3](https://doi.org/10.1038/s41598-024-61040-3))"
)
GDMCD_PAPER = "GDMCD (Fujii *et al.*, *Efficient exploration of high-Tc superconductors …*)"
GUIDED_PAPER = "*Inverse Design of Novel Superconductors via Guided Diffusion*"
BENCHMARKS = (
    Benchmark("search", "Searches in the same time", OWN, """
Every method gets the same models, screens and time on two CPU cores: memetic search with and without the gradient,
genetic search, C-ES, KIAGO with the candidates and steps that end in the time, and random formulas. The bases are
those of KIAGO's table 2, free, for new formulas only, and for new formulas near the base; then its substitutions
(tables 5 to 7) and hydrides (tables 9 and 10). The figures are means of the best 30 formulas by the objective, Tc −
κ error − α Ef; the control model takes no part in the search. A rival that is behind by more than 0.5 K in both
means with the first seed has no further seeds (column *seeds*). The curves are means over all lines."""),
    Benchmark("default-search", "The default design", OWN, """
The design that a new visitor starts by pressing Run, for the bases of table 2: new formulas near the base, here of all
elements. Genetic search with the same models and demands gets the time that the default design took; the time of the
final predictions and of the screens, the same for both, is not in it."""),
    Benchmark("families", "Families left out", OWN, """
Whole families of superconductors are left out of the training of the Tc model, one by one, and then predicted: is the
model wrong without saying so? It says so by the flag *extrapolating*, or by an interval around the measured Tc."""),
    Benchmark("table2", "Higher Tc from known superconductors", f"{KIAGO_PAPER}, table 2", """
KIAGO starts many candidates (4,096 in the paper) from each known superconductor and optimises them for 1,000 steps.
C-ES, the baseline, draws the same number by replacing elements of the same superconductor at random by others of the
same oxidation state, without optimisation. All formulas pass through the same screens. The gain is the mean predicted
Tc of the best 30, minus that of the base. The control model is a different model that the optimiser never uses: a gain
that it does not predict is probably an error of the Tc model. SuperDiff, a diffusion model, is conditioned on the base
by ILVR (scale factors 2, 3, 4 and 6), with and without guidance by the predictors: 1,024 samples and 100 denoising
steps here, 4,096 and 1,000 in the paper."""),
    Benchmark("table4", "What guidance contributes", f"{KIAGO_PAPER}, table 4", """
Each denoising step of SuperDiff changes the mean predicted Tc of the samples three times: the network removes noise,
guidance moves the samples along the gradient of Tc and formation energy, and ILVR restores the coarse part of the base.
The three parts, summed over all steps, add up to the change from noise to the compositions. The base is HgBa2Ca2Cu3O8,
which the paper does not name, with the scale factor 2. A wider step of a shorter schedule is guided as much as the
steps that it replaces."""),
    Benchmark("superdiff", "Samples without a base", f"{SUPERDIFF_PAPER}, and its authors' notebooks", """
Samples of each class from pure noise. The filter rounds to two decimals, drops amounts below 0.08, and rejects samples
with a negative amount, a single element, or more than seven (cuprates) or five elements. The other shares are of the
distinct formulas that survive; formation energy and Tc of those whose elements the models know."""),
    Benchmark("superdiff-formulas", "Formulas of the same samples", f"the bases of {KIAGO_PAPER}, table 2", """
Does SuperDiff fail charge neutrality because of its samples, or because of their decimals? The same samples become
formulas by the rules of SuperDiff (two decimals) and KIAGO (four decimals), and by the rounding of our gradient method:
to a charge-neutral formula of at most 25 atoms near the sample, of several the one with the best predicted Tc and
formation energy. KIAGO has lines with the same rounding. By the first two rules a formula with an element that a model
does not know counts: its charges are tested as of any other, and it passes no screen of the energy. An evaluation is
one of the denoising network, with guidance also one of the predictors with their gradients; in KIAGO it is one of the
predictors with their gradients."""),
    Benchmark("superdiff-steps", "Fewer denoising steps", f"a base of {KIAGO_PAPER}, table 2", """
The same base with 50 to 1,000 denoising steps. A shorter schedule has the noise levels of the steps that it keeps. The
last line has as many samples as published."""),
    Benchmark("exploitation", "How much of the gain the control model predicts",
              f"the bases of {KIAGO_PAPER}, table 2", """
The same KIAGO runs: the gain of the best 30 according to the Tc model, the control model, and the other Tc model that
can be chosen. For our best models, that is the published network, ResNet18 on the periodic-table image. The control
model is more accurate than the network, but consists of trees like our Tc model; the network shares only the training
data with it. The papers report no such comparison."""),
    Benchmark("neutral", "Rounding to neutral formulas", f"the bases of {KIAGO_PAPER}, table 2", """
The same KIAGO runs, whose compositions are rounded in two ways: to the nearest formula, as in the paper, or, if that
formula fails charge neutrality or the Pauling test, to the best neighbouring formula that passes both. Shares are of
the distinct formulas."""),
    Benchmark("table1", "Change in Tc from fractional to integer formulas", f"{KIAGO_PAPER}, table 1", """
Candidates that were optimised without the integer loss become integer formulas with a limited number of atoms in two
ways: by stage 2, in which the integer loss pulls them to the grid while Tc is still optimised, and by the rule of
rounding each ratio times the largest number of atoms. The figure shows the mean change in Tc: closer to 0 (or above) is
better. We add two ways: stage 2 with steps that shrink to 0, and rounding to the nearest formula of any size up to the
largest. The paper does not name its 15 materials; ours are those of its tables 2 and 5."""),
    Benchmark("gdmcd-table2", "Integer formulas and two fractional elements", f"{GDMCD_PAPER}, table 2", """
Known superconductors are optimised towards 300 K without the integer loss and become formulas of exactly N atoms: by
the rule of rounding each ratio times N, by the integer loss, and by the integer loss without the two elements that are
farthest from the grid, which stay fractional as in doping. The figure shows the mean change in Tc: closer to 0 is
better."""),
    Benchmark("table5-7", "One element substituted", f"{KIAGO_PAPER}, tables 5 to 7", """
One element of a known superconductor is replaced by any mixture of elements that can have its oxidation state;
everything else is kept. A substitution succeeds if the fraction of each kept element and the sum of the new ones are
right to within 1%. KIAGO optimises the mixture along the gradient, without the integer loss; C-ES draws it at random.
The gain is that of the best 30 that succeed and pass the screens. SuperDiff is conditioned on the whole base, because
it can hold no amount; the authors' code counts a sample as a success if the deviations of all kept elements together
are below 1% of the atoms."""),
    Benchmark("table8", "The best substitutions and the best known ones", f"{KIAGO_PAPER}, table 8", """
The best formula of the runs above, beside the known superconductor with the same substitution for which our model
predicts the highest Tc: all other elements kept to within 1%, another element in place of the replaced one.
*Reported* is the measured value."""),
    Benchmark("table9-10", "Hydrides", f"{KIAGO_PAPER}, tables 9 and 10", """
At least 40% hydrogen, at most three elements and 15 atoms; each atom may have its own oxidation state. The figures are
the mean predicted Tc of the best five, and the share of formulas within these limits. Here C-ES keeps the hydrogen of
the base. The amounts of SuperDiff are rounded to whole atoms."""),
    Benchmark("figure3", "Initial compositions", f"{KIAGO_PAPER}, figure 3", """
Stage 1 alone, with a learning rate of 0.001, from LaNiAsO mutated and perturbed, and from mixtures of four random
elements. Lines are medians over the candidates; bands contain 90% of them."""),
    Benchmark("top-ten", "The ten candidates shown first", OWN, """
What a chemist asks of a proposal. Designs by the gradient method with its default settings, seed 0. Each of the ten
candidates that the results page shows first is held against seven criteria: usual charges (or metals only), rounding
exchanged at most 10% of the atoms, at most 20 atoms, no near-duplicate of one above it, within its expected error of
the hull, a gain above its expected error, and a control model that agrees within that error. The rows of *before*
are those of version 0.2.0, by its order."""),
    Benchmark("crystal-guidance", "Crystals towards a Tc", f"{GUIDED_PAPER}, figure 2", """
Crystals generated without a Tc (w = −1), towards 10 K and towards 110 K, which is far beyond the data. The Tc is that
of our model of Tc by structure, conventional superconductors only, which has learned from the same calculated Tc as the
generator; non-metals count with 0 K, and the metals alone have columns of their own. 200 of each kind are relaxed by
CHGNet, to limit the time; the paper relaxes all, and leaves out non-metals and what is not bound. The Tc of the tuning
data is the calculated one."""),
    Benchmark("crystal-prediction", "Structures of held-out formulas", OWN, """
Formulas of up to 20 atoms of which neither the library of prototypes nor the network of crystals has seen a structure.
A formula matches at k if one of its first k structures is a known one (pymatgen's StructureMatcher), unrelaxed.
Diffusion is told the number of atoms of the smallest known cell, prototypes are not. *Symmetric*: samples with the
space group and the Wyckoff positions of prototypes, drawn by how many compounds these have and how similar they are to
the formula, those of unseen formulas left out; *drawn prototypes as they are*: these without the network. *By
likelihood*: the valid sample comes first in which the network errs least. *By energy*: that of the lowest energy by
CHGNet, unrelaxed; CHGNet has learned from the Materials Project, from structures of these formulas too. *In turn*: the
first of the prototypes, the likeliest symmetric sample, the second of the prototypes, and so on."""),
    Benchmark("crystal-funnel", "The funnel of generated crystals", f"{GUIDED_PAPER}, figure 1", """
Crystals generated towards 10 K with the guidance w = 2, screened step by step as by `generate --screen`: 200,000 in the
paper, which goes on with density functional theory and phonons. Whatever the steps say, the first crystals are also
relaxed and placed on the hull of the potential."""),
    Benchmark("crystal-constraints", "Constraints on generated crystals", OWN, """
Crystals of any formula, of a few allowed elements, and of given formulas with the number of atoms of their known cells,
with any symmetry and with that of prototypes; and towards 10 K with w = 2. Are they as asked for, and how many have a
valid structure (no two atoms within 0.5 Å) and a valid composition (charge neutral and Pauling's rule by SMACT; alloys
and single elements count as valid)? These are the definitions of DiffCSP. Intervals are Wilson's, of 95%."""),
    Benchmark("relaxed-prediction", "Structures of held-out formulas, relaxed", OWN, """
Formulas of up to 20 atoms of which the library of prototypes has no structure. The first five proposals are relaxed by
CHGNet. A formula matches at k if one of its first k distinct structures is a known one (pymatgen's StructureMatcher):
as proposed, relaxed in the same order, in the order in which the app shows relaxed structures, and by energy."""),
    Benchmark("structure-hull", "Energy above hull by the potential", OWN, """
Structures of the Materials Project with a known energy above hull, drawn at random; each is relaxed by CHGNet and
placed on the hull of the other known compounds of its elements, relaxed by the same potential. The potential has
learned from the Materials Project, these structures among them."""),
    Benchmark("example-structures", "Structures of candidates", OWN, """
The ten best candidates of three shipped examples, seed 0: the best structure of each after relaxation by CHGNet, its
prototype, shortest bond, coordination and energy above the hull of the same potential, and whether it is known."""),
    Benchmark("speed", "Speed", OWN, """
A candidate-step is one step of one candidate. *Plain* is a direct implementation of the method: the networks as
trained, evaluated as a whole in one loop, in float32. *Ours* is what the app does with the same weights; if the
processor has units for bfloat16, the steps of the published networks use it, and every value in the results is
predicted in float32 again. Both run alternately in one process, and the fastest of three repeats counts."""),
    Benchmark("gpu", "Speed on a GPU", OWN, """
The reference loop (*plain*) and ours on the same card with the same weights and starts. Ours replays each step as one
CUDA graph, in float32 or with products in TF32; every value in the results is predicted in float32 again. The limit of
a step is the larger of two times: its counted floating-point operations at the rate of a large matrix product, and the
bytes that its operations read and write at the rate of a large copy, both measured on the card."""),
    Benchmark("time-to-quality", "Time to quality", OWN, """
The time until 30 formulas are as good as the best 30 of a plain run as in KIAGO 3.1 (4,096 candidates, 1,000 steps),
by the objective that both optimise. Ours works in small rounds, each with a new seed, and stops as soon as it is as
good. The time for the comparison itself is not counted."""),
)  # fmt: skip
