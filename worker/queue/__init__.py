"""Takes tasks from the queue, reports progress, and survives outages."""
