"""Where MNIST is downloaded from. Nothing is opened before its SHA-256 was checked."""


class SourceError(Exception):
    """A source does not have the files; str() says what it answered."""
