"""Images as a vaehub plugin: data, networks, figures and metrics."""
