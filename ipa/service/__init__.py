"""Three helper parties as three services: what surrounds the protocol when parties do not trust each other.

A service is one helper party as a process. It listens on one address, where its peers and report
collectors connect by TLS, each known by a certificate that the network published.
"""
