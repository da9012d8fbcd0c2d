"""What no result depends on, except outputs.py, which writes them: see the top of dvc.yaml."""
