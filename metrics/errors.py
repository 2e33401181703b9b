"""What a metric cannot do, in one line for the user."""


class MetricError(ValueError):
    """Wrong input to a metric: the message is one line that says what is wrong and what to do."""
