"""Pictures: each module turns plain values into the bytes of one PNG."""
