"""Exact mathematics of differentially private noise. Nothing here is secret, nothing communicates.

Read in this order:

    exponential         proven bounds of exp, and coins rounded from it
    discrete_laplace    the ideal distribution, its tails and variance
    digitwise_laplace   the noise made inside the MPC, bit by bit, with its exact distribution
    per_helper_laplace  the noise that each helper samples by itself
    accounting          what either mechanism promises: epsilon and delta
    divergence          delta from the exact distribution, where it is small enough to write down
    choice              digits and precision for a delta
    sampling            exact samplers with integers only
    width               the bits of a noisy sum
    limits              the ranges of all parameters

No promise is computed with floating point. A float appears only where the docstring says that it is
for display.
"""
