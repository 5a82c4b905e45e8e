"""The one thing that a server of ours can say when it does not run."""


class ServerFailed(Exception):
    """A server could not be started; the message is a sentence for whoever started it."""
