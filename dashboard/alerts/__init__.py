"""Alerts: what is wrong now, when to speak, and bringing it to a webhook and to Slack."""
