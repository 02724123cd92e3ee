"""Other nodes of the same city: their phones, orders to them, the desk they share, and voice between them.

A city of one node has none of this: `poc_server.node.node.Node.elsewhere` is then None. `elsewhere` joins the parts and
is the one that speaks and hears; docs/architecture.md ("Several nodes") has the map: each sort of news, who says it,
who hears it, and what heals it.
"""
