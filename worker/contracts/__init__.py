"""The only thing that app and worker share: jobs, store, the model catalogue and the queue's vocabulary."""
