"""The parts of docs/ and deploy/ that are made from the code (`make docs`)."""
