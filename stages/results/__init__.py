"""The one reader of metrics/ and plots/, and the statistics; none of it imports PyTorch."""
