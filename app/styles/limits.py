"""Limits of uploaded style images.

The decoder itself limits the number of pixels: `MAX_PIXELS` in worker.contracts.uploaded_images.
"""

MAX_UPLOAD_BYTES = 20_000_000
"""Size of the body of an upload."""
MAX_SIDE_PIXELS = 512
"""Width and height of a stored image. Generated images cannot take over finer detail."""
MAX_STORED_BYTES = 1_000_000
"""Upper bound of a stored image and its entry. So much disk space must be free before an upload."""
THUMBNAIL_SIDE_PIXELS = 160
"""Width and height of a thumbnail."""
MAX_CONCURRENT_DECODES = 2
"""Uploads that are decoded at the same time. Each has a thread of its own, so they take none from other requests."""
MAX_WAITING_DECODES = 16
"""Uploads that may wait for a decoder."""
MAX_DECODE_CPU_SECONDS = 5
"""CPU time of one decode. The largest accepted image takes about a second.

A crafted file of a few megabytes could otherwise keep a decoder busy for hours.
"""
MAX_DECODE_MEMORY_BYTES = 3 << 29
"""Address space of one decode, 1.5 GiB. The largest accepted image needs half of it. Enforced on Linux only."""
