"""The subcommands of `groundwire`, by what they work on."""
