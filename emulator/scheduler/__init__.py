"""Decides which task runs where and when, and what follows from how it ended. It runs nothing itself."""
