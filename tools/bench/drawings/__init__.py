"""Pictures of MNIST's digits as people hand them in: pens, papers, light and cameras."""
