"""Identity and Access Management: who there is, with which keys, and the policies that stand on them."""
