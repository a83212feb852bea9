"""Tests that open the panel or a report in Chromium."""
