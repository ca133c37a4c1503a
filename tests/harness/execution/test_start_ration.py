from convcheck.execution.start_ration import StartRation


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_forks_are_always_allowed():
    ration = StartRation(Clock())
    for _ in range(100):
        ration.started(0.01)
        assert ration.allows()
    assert not ration.slow


def test_slow_starts_have_a_tenth_of_the_time():
    clock = Clock()
    ration = StartRation(clock)
    ration.started(6.0)
    assert ration.slow
    clock.now = 60.0
    assert not ration.allows()
    clock.now = 121.0
    assert ration.allows()


def test_what_was_started_ahead_long_ago_costs_nothing():
    clock = Clock()
    ration = StartRation(clock)
    ration.started(6.0)
    ration.starting_ahead()
    clock.now = 2.0
    assert not ration.allows()
    clock.now = 5.5
    assert ration.allows()
    ration.started(6.0)
    ration.starting_ahead()
    assert not ration.allows()
