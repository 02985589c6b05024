"""Shapes of the data plane's bodies as of its newest API version, shared by requests, the store and answers."""
