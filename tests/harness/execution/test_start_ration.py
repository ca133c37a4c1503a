from convcheck.execution.start_ration import StartRation


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_forks_are_always_allowed():
    clock = Clock()
    ration = StartRation(clock)
    for _ in range(100):
        ration.started(0.01, begun=clock.now, asked=clock.now)
        assert ration.allows(begun=clock.now)
    assert not ration.slow


def test_slow_starts_have_a_tenth_of_the_time():
    clock = Clock()
    ration = StartRation(clock)
    ration.started(6.0, begun=0.0, asked=0.0)
    assert ration.slow
    clock.now = 60.0
    assert not ration.allows(begun=60.0)
    clock.now = 121.0
    assert ration.allows(begun=121.0)


def test_what_was_started_ahead_costs_what_is_still_to_wait_for():
    clock = Clock()
    ration = StartRation(clock)
    ration.started(6.0, begun=0.0, asked=0.0)
    clock.now = 8.0
    assert not ration.allows(begun=6.0)
    clock.now = 11.5
    assert ration.allows(begun=6.0)
    for _ in range(50):  # and nothing where it was there before anybody asked
        ration.started(6.0, begun=0.0, asked=11.5)
    clock.now = 121.0
    assert ration.allows(begun=121.0)
