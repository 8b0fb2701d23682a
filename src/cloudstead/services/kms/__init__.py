"""Key Management Service: symmetric keys that encrypt, and who else in this cloud may use them."""
