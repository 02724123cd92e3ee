"""The WebRTC edge: one UDP port for all phones of a node, ICE-lite, DTLS, SRTP, and the relay."""

from poc_server.media.downlink.slot import Slot
from poc_server.media.edge import MediaEdge
from poc_server.media.peer import Peer, PeerOwner
from poc_server.media.relay import BurstObserver, Relay, Route, Tap
from poc_server.media.settings import MediaSettings
from poc_server.media.wire.sdp import SdpRefused

__all__ = [
    "BurstObserver",
    "MediaEdge",
    "MediaSettings",
    "Peer",
    "PeerOwner",
    "Relay",
    "Route",
    "SdpRefused",
    "Slot",
    "Tap",
]
