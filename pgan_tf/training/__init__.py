"""Training: state, step, loop, checkpoints, reports."""
