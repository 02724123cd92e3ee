"""Talk on this node: phones, the groups they are in, and what each request of a phone does."""
