"""The process: HTTP in, HTTP out; the command line, settings and logs."""
