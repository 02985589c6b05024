"""Pools and their nodes in motion: resizes, boots, actions, tasks. What a node runs on is in ``runners``."""
