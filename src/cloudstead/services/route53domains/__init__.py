"""Route 53 Domains: a registrar, and the registry behind it that no real registrar is needed for."""
