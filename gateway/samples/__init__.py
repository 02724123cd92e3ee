"""Ready mapping files of three systems that differ in shape, each with a document of its system."""
