"""Generators as files for the engine in the browser: a program of kernel calls, and fp16 weights."""
