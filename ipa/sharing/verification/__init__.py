"""The local mathematics of the batch check of products."""
