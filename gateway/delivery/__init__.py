"""Events on their way out: what is owed to each receiver, in order, for as long as it takes."""
