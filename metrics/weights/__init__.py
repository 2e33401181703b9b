"""Weight files that users already have, read without executing anything in them."""
