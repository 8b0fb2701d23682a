"""Bodies on SeaweedFS volume servers: the second place where they can lie. The index and the logs stay on this disk."""
