"""Training one run: its recipe, the loop, checkpoints and what is written."""
