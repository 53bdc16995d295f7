"""Which stretches of series are odd: detectors on what the imputer would not have expected, and events in words."""
