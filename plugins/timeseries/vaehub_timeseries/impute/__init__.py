"""Imputation: several experts, blended and calibrated by rehearsal on cells that are hidden for the purpose."""
