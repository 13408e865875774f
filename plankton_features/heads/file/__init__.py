"""The head file: a fitted pipeline as bytes that are read without running code from them."""
