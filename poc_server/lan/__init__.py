"""HTTPS for phones on a local network, where no public authority vouches for us: a CA of our own, and help with it."""

from poc_server.lan.certificates import Certificates, ensure_certificates
from poc_server.lan.front import Front
from poc_server.lan.page import LanPage, best_address, terminal_code

__all__ = ["Certificates", "Front", "LanPage", "best_address", "ensure_certificates", "terminal_code"]
