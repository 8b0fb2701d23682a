"""Disks: what EBS volumes are made of."""
