"""The time from the start of the service until it is ready, in total and by stage."""
