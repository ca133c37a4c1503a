"""Adapters of other people's engines, a module each, which imports its engine when it is asked for.

What an adapter translates is the spelling: names, order of the axes, padding of two sides. What an engine refuses, it
refuses itself; an adapter refuses only what the engine has no word for.
"""
