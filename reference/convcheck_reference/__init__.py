"""What Conv2d is: parameters, shapes, validity, padding, forward, gradients, initialisation, clauses."""
