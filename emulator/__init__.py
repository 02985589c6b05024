"""The local Azure Batch service: a program of its own, see README.md."""
