"""Tests of the symptoms: one file a symptom."""
