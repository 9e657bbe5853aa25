"""Composes the sample passages and questions of the QA template."""
