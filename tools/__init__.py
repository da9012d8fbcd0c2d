"""What people call by hand, outside the pipeline."""
