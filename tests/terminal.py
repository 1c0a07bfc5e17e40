"""A terminal at which somebody types."""

import io


class Terminal(io.StringIO):
    """Standard input where a person types what is given."""

    def isatty(self) -> bool:
        return True
