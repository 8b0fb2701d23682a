"""Route 53: hosted zones, what is in them, and the changes that name servers acknowledge."""
