"""`python -m imagemill` is the command `imagemill`."""

from imagemill.start import main

main()
