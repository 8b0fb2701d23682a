"""Security Token Service: temporary keys for identities that IAM knows."""
