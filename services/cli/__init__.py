"""The command line `tellback`: not a service; one file a command, and the supervisor of this machine's processes."""
