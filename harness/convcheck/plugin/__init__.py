"""How an implementation becomes a backend: the contract, the ways in, and the bridge to torch."""
