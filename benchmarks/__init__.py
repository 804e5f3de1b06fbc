"""Measurements that are run by hand (`make bench`, `make bench-nlu`), not by the tests."""
