"""Objects: what S3 keeps its bytes in."""
