"""What was kept, proved: signed for, and judged by the server and by an export's own program."""
