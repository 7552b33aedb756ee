"""What can be wrong before a process begins its work."""


class SettingsError(Exception):
    """A setting cannot be used. The message is one line: the variable, its value and what would be right."""
