"""Every part of the plugin keeps the contract."""

from vaehub.testing import conformance

test_the_plugin_conforms = conformance("images")
