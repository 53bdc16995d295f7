"""Long work: processes that can be stopped, journals and shards from which a killed job goes on, and what shows how far it is."""
