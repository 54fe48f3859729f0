"""What a client sees: Strawberry types and fields, no behaviour."""
