"""Every rule with a sick and a healthy example."""
