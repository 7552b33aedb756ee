"""The only thing that app and worker share: jobs, artifacts, the model catalogue and the queue's vocabulary."""
