"""Other nodes of the same city: their phones, orders to them, the desk they share, and voice between them.

A city of one node has none of this: `poc_server.node.node.Node.elsewhere` is then None.
"""
