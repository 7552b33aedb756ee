"""The measurements behind the figures in `docs`. They are not part of the installed package."""
