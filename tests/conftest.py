"""What all tests may use."""

pytest_plugins = ["tests.fixtures.databases", "tests.fixtures.people"]
