"""Commands that people run by hand, outside the pipeline."""
