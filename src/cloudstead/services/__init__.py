"""The meaning of the AWS APIs: one folder per service. Between services only `operations` is public."""
