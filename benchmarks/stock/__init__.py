"""Rasa as it comes, with the same data: what Daoyi is measured against."""
