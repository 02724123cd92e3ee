"""Who one is: passwords, enrolment, tokens of minutes, and revocation that works at once."""

from poc_server.auth.service import Auth, SignedIn
from poc_server.auth.settings import AuthSettings
from poc_server.auth.tokens import AuthRefused, Claims

__all__ = ["Auth", "AuthRefused", "AuthSettings", "Claims", "SignedIn"]
