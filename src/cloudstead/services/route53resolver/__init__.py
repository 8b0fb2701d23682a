"""Route 53 Resolver: what each VPC's resolver does with names: rules, endpoints, the DNS firewall and query logs."""
