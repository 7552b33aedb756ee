"""Errors that stop a process before it begins its work."""


class SettingsError(Exception):
    """A setting cannot be used. The message is one line: the variable, its value and the values that are allowed."""
