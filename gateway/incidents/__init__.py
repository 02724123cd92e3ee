"""Incidents (案卷) and their lifecycle, in the words of GB/T 30428. Pure: what comes of news is effects."""
