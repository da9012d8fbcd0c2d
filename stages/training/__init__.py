"""How a network is trained: what params.yaml says, the loop, and what is kept of it."""
