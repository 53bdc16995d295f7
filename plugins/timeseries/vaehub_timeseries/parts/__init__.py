"""Networks, distributions and objectives for windows (T, C) with gaps."""
