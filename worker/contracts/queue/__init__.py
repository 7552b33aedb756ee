"""The queue: tasks, events and keys in Redis."""
