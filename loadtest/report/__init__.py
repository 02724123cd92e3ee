"""A report somebody can open years later: one HTML file, pictures inside, nothing fetched."""
