"""Supported ways of training: each case is a row of the table in docs/recording.md, and is tested."""
