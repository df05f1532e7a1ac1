"""The bare line, without any logic, in SimPy: arrive, scan 0.2 s, travel, weigh 0.25 s, travel, divert.

The yardstick for `first_day`: how many parcels a second such a model alone can move. Needs SimPy 4.
"""
import sys
import time

import simpy


def parcel(env, scanner, scale):
    with scanner.request() as turn:
        yield turn
        yield env.timeout(0.2)
    yield env.timeout(2.0)
    with scale.request() as turn:
        yield turn
        yield env.timeout(0.25)
    yield env.timeout(2.0)


def arrivals(env, parcels):
    scanner, scale = simpy.Resource(env, 1), simpy.Resource(env, 1)
    for _ in range(parcels):
        env.process(parcel(env, scanner, scale))
        yield env.timeout(1.0)


parcels = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
env = simpy.Environment()
env.process(arrivals(env, parcels))
started = time.process_time()
env.run()
print(f"{parcels / (time.process_time() - started):.0f}")
