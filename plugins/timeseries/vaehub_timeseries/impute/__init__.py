"""Imputation: several experts, blended and calibrated on observed cells that are held out for the purpose."""
