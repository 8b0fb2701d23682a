"""Amazon EC2 and VPC. Each resource has a module of its own; `operations` is the public face."""
