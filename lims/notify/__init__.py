"""Sending what is owed: webhooks and the live feed."""
