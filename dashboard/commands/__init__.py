"""The subcommands of `seamscope`, one subject a module."""
