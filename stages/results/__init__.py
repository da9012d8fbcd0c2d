"""The one reader of metrics/ and plots/, from disk or from a git revision, and the statistics.

The report, the review and the benchmarks read results here; nothing in it imports PyTorch.
"""
