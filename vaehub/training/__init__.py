"""Training on pytorch-lightning."""
