"""Machines: what EC2 instances run on."""
