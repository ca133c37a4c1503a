"""A backend that goes one way out in each call: its number is the first element of x, and 1 is the answer if open."""

import convolutions  # noqa: F401
import judge  # noqa: F401
import numpy as np
import sources  # noqa: F401
from routes import ROUTES

from convcheck import Backend, Capabilities


class Escaping(Backend):
    """Tries every route; a convolution's result is returned, and of others whether they are open."""

    name = "escaping"
    capabilities = Capabilities(dtypes=("float32",), gradients=False)

    def conv2d(self, x, weight, bias, params):
        """What comes of the route."""
        route = ROUTES[int(x.flat[0])]
        if route.to == "convolution":
            return route.go(np.array(x), np.array(weight))
        route.go()
        return np.ones((1, 1, 1, 1), np.float32)

    def to_native(self, array):
        """As it is."""
        return array

    def to_numpy(self, native):
        """The array, which may be computed here."""
        return native() if callable(native) else native

    def versions(self):
        """The names of the routes, in order, with what they lead to."""
        return {route.name: route.to for route in ROUTES}
