"""Pooling designs known beforehand: what each costs, what each misses, and the best of its kind.

D2, D3, D4 are hierarchical (Dorfman's two stages, three, four), A2 is a square array, A2M one with
a master pool before it. Errors are taken as independent given the truth; what dilution and the
previous pool's Ct change about that is not here.

Sources: Kim, Hudgens, Dreyfuss, Westreich, Pilcher, "Comparison of group testing algorithms for
case identification in the presence of test error", Biometrics 63 (2007) 1152; Black, Bilder, Tebbs,
"Optimal retesting configurations for hierarchical group testing", JRSS C 64 (2015) 693; McMahan,
Tebbs, Bilder, "Informative Dorfman screening", Biometrics 68 (2012) 287, and "Two-dimensional
informative array testing", Biometrics 68 (2012) 793; Hitt, Bilder, Tebbs, McMahan, "The objective
function controversy for group testing", Statistics in Medicine 38 (2019) 4912.
"""
