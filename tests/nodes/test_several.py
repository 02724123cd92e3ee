"""The ports of several nodes on one machine: theirs from the start, and no other city's."""

from __future__ import annotations

import socket

import pytest

from poc_server.commands.several import LOOPBACK, Several
from poc_server.config import Config, load


def config(**env: str) -> Config:
    return load(None, env={"POC_SERVER__HOST": LOOPBACK, "POC_SERVER__PORT": "0", **env})


def test_nobody_else_gets_the_port_of_a_node_before_it_listens_but_the_node() -> None:
    city = Several(config(), 2, ["serve"], [], [])
    for port in (city.port, *city.own_ports):
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind((LOOPBACK, port))
        with socket.create_server((LOOPBACK, port), reuse_port=True) as node:
            assert node.getsockname()[1] == port


@pytest.mark.parametrize("setting", ["POC_SERVER__PORT", "POC_SERVER__OWN_PORT"])
def test_a_second_city_on_the_port_of_one_that_runs_is_refused(setting: str) -> None:
    with socket.create_server((LOOPBACK, 0), reuse_port=True) as running, pytest.raises(OSError, match="in use"):
        Several(config(**{setting: str(running.getsockname()[1])}), 2, ["serve"], [], [])
