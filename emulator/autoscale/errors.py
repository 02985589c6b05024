"""What can be wrong with a formula, in the service's codes."""

from enum import StrEnum


class Code(StrEnum):
    TOO_LONG = "AutoScalingFormulaTooLong"
    SYNTAX = "AutoScalingFormulaSyntaxError"
    EVALUATION = "AutoScalingFormulaEvaluationError"
    INSUFFICIENT_DATA = "InsufficientSampleData"


_MESSAGES = {
    Code.TOO_LONG: "The autoscale formula is too long",
    Code.SYNTAX: "The autoscale formula has a syntax error",
    Code.EVALUATION: "Autoscale evaluation failed due to an error in the formula",
    Code.INSUFFICIENT_DATA: "Autoscale evaluation failed due to insufficient sample data",
}


class FormulaError(Exception):
    """``line`` and ``column`` count from 1, ``detail`` says what is wrong there."""

    def __init__(self, code: Code, detail: str, line: int = 1, column: int = 1) -> None:
        self.code = code
        self.message = _MESSAGES[code]
        self.detail = f"Line {line}, Col {column}: {detail}"
        super().__init__(self.detail)
