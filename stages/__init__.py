"""What dvc.yaml runs, and all the code that it depends on."""
