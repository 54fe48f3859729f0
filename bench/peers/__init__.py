"""This server against its peers on the same data: `python -m bench.peers`."""
