"""Mechanisms that touch the real machine. A driver decides nothing and remembers nothing.

Everything made here lies under the data directory or carries the cloud's name, so that two clouds on one
machine never meet and a restart finds by `observe` what a crash left behind.
"""
