"""Incidents in SQL, their events, and the way of both: news that came, deliveries that go out."""
