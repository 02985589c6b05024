"""The formula language of automatic scaling (https://learn.microsoft.com/azure/batch/batch-automatic-scaling).

``parse`` reads a formula, ``evaluate`` computes it against samples and gives what the service reports of a run.
"""

from emulator.autoscale.errors import FormulaError
from emulator.autoscale.evaluator import Evaluation, Targets, evaluate
from emulator.autoscale.parser import MAX_LENGTH, MAX_STATEMENTS, parse
from emulator.autoscale.samples import METRICS, SAMPLE_PERIOD, Sample, Samples

__all__ = [
    "MAX_LENGTH",
    "MAX_STATEMENTS",
    "METRICS",
    "SAMPLE_PERIOD",
    "Evaluation",
    "FormulaError",
    "Sample",
    "Samples",
    "Targets",
    "evaluate",
    "parse",
]
