"""What third-party logs show without recorded steps."""
