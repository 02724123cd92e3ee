"""The ground that the pages' maps are drawn on: tiles of the operator's, if there are any."""
