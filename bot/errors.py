"""Errors that Daoyi raises on purpose. Each carries facts; one boundary turns them into words."""


class DaoyiError(Exception):
    """Base of every error that the product expects; its text tells the reader what to do."""


class SettingsError(DaoyiError):
    """A setting is missing or malformed."""


class DataError(DaoyiError):
    """A file of hospital data, plan or price cannot be used; the text names file, row and remedy."""
