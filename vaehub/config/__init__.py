"""From YAML and overrides to a validated configuration, and from that to objects."""
