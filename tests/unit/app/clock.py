"""A clock that nobody sets; it stands still unless a test moves it."""


class Clock:
    """Seconds from any moment on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds
