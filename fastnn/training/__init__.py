"""Training: epochs, L-BFGS, resuming and populations of networks."""
