"""Root file systems: what AMIs are made of."""
