"""The command, and later the page and the HTTP service."""
