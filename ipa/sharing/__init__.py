"""Local mathematics of secret sharing: bit slices, rings, shares, PRSS. Nothing here communicates."""
