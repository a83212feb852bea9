"""Tests of object stores and Apache Beam, in an environment of their own."""
