"""Makes `python -m imagemill` the same as the command `imagemill`."""

from imagemill.start import main

main()
