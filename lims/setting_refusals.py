"""What the environment says and we cannot use."""


class BadSetting(Exception):
    """Says which variable, what was expected, what came, and what to do."""

    def __init__(self, variable: str, *, expected: str, came: str, do: str) -> None:
        super().__init__(f"{variable}: expected {expected}; came {came}. {do}")
        self.variable = variable
