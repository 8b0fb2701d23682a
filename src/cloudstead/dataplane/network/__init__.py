"""Networks: what VPCs, interfaces, security groups and elastic IPs are made of."""
