"""Systems Manager: the Parameter Store."""
