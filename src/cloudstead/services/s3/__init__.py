"""S3: buckets, their objects, and who may reach them."""
