"""A tenant's data keys are open for a minute, under their own names only, and then read again."""

import os
import threading
import time
import warnings
from uuid import UUID

import pytest

from tenants.foundation.encryption import Unreadable
from tenants.isolation.keys import KeyDestroyed, KeyName, KeyRing

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)


class Reversing:
    """A wrapper that can be seen through, and counts."""

    def __init__(self):
        self.unwrapped = []

    def wrap(self, key, name):
        return key[::-1] + str(name).encode()

    def unwrap(self, wrapped, name):
        self.unwrapped.append(name)
        if wrapped[32:] != str(name).encode():
            raise Unreadable("This key has another name.")
        return wrapped[31::-1]


class World:
    """Two tenants, one with two versions of its key, and a clock that stands still."""

    def __init__(self, **options):
        self.wrapper, self.time, self.loads = Reversing(), 1000.0, []
        self.kept = {OURS: [self.key(OURS, 1), self.key(OURS, 2)], NEIGHBOUR: [self.key(NEIGHBOUR, 1)]}
        self.ring = KeyRing(self.wrapper, self.load, clock=lambda: self.time, **options)

    def key(self, tenant_id, version):
        material = bytes([tenant_id.int * 16 + version]) * 32
        return version, self.wrapper.wrap(material, KeyName(tenant_id, version))

    def load(self, tenant_id):
        self.loads.append(tenant_id)
        return list(self.kept.get(tenant_id, []))


@pytest.fixture
def world():
    return World()


def test_each_tenant_has_keys_of_its_own(world):
    ours, theirs = world.ring.version(OURS, 1), world.ring.version(NEIGHBOUR, 1)
    assert ours.hashed(b"x") != theirs.hashed(b"x")


def test_the_newest_key_is_the_one_to_seal_with_and_older_ones_still_open(world):
    assert world.ring.current(OURS).version == 2
    assert world.ring.version(OURS, 1).version == 1
    assert world.ring.current(OURS).hashed(b"x") != world.ring.version(OURS, 1).hashed(b"x")


def test_a_key_is_opened_once_a_minute_and_only_when_asked_for(world):
    for _ in range(3):
        world.ring.current(OURS)
    assert world.loads == [OURS]
    assert world.wrapper.unwrapped == [KeyName(OURS, 2)]
    world.time += 59.9
    world.ring.current(OURS)
    assert world.loads == [OURS]
    world.time += 0.1
    world.ring.current(OURS)
    assert world.loads == [OURS, OURS]


def test_a_destroyed_key_is_gone_after_a_minute_at_the_latest(world):
    world.ring.current(OURS)
    world.kept[OURS] = []
    world.time += 60
    for ask in (lambda: world.ring.current(OURS), lambda: world.ring.version(OURS, 1)):
        with pytest.raises(KeyDestroyed, match="was destroyed"):
            ask()
    assert world.ring.current(NEIGHBOUR).version == 1


def test_a_forgotten_key_is_gone_at_once(world):
    world.ring.current(OURS)
    world.ring.current(NEIGHBOUR)
    del world.kept[OURS]
    world.ring.forget(OURS)
    with pytest.raises(KeyDestroyed):
        world.ring.current(OURS)
    assert world.loads.count(NEIGHBOUR) == 1


def test_a_key_that_is_forgotten_while_it_is_read_is_not_kept(world):
    def destroyed_meanwhile(tenant_id):
        found = world.load(tenant_id)
        world.kept.pop(tenant_id, None)
        ring.forget(tenant_id)
        return found

    ring = KeyRing(world.wrapper, destroyed_meanwhile, clock=lambda: world.time)
    ring.current(OURS)
    with pytest.raises(KeyDestroyed):
        ring.current(OURS)


def test_a_version_that_came_meanwhile_is_found(world):
    world.ring.current(OURS)
    world.kept[OURS].append(world.key(OURS, 3))
    assert world.ring.current(OURS).version == 2
    assert world.ring.version(OURS, 3).version == 3
    assert world.ring.current(OURS).version == 3


def test_a_version_that_is_gone_is_destroyed(world):
    world.kept[OURS] = [world.key(OURS, 2)]
    with pytest.raises(KeyDestroyed, match="was destroyed"):
        world.ring.version(OURS, 1)


def test_a_key_does_not_open_under_a_neighbours_name(world):
    world.kept[NEIGHBOUR] = world.kept[OURS]
    with pytest.raises(Unreadable):
        world.ring.current(NEIGHBOUR)


def test_the_ring_holds_the_latest_tenants_only():
    world = World(capacity=1)
    world.ring.current(OURS)
    world.ring.current(NEIGHBOUR)
    world.ring.current(NEIGHBOUR)
    world.ring.current(OURS)
    assert world.loads == [OURS, NEIGHBOUR, OURS]


def test_the_ring_shows_no_key(world):
    material = world.ring.current(OURS).derived(b"x")
    shown = f"{world.ring!r} {world.ring} {world.ring.current(OURS)!r} {vars(world.ring)}"
    assert repr(material)[2:-1] not in shown
    assert repr(bytes([18]) * 32)[2:-1] not in shown


def test_an_idle_process_lets_go_of_its_keys(world):
    ring = KeyRing(world.wrapper, world.load, lifetime=0.05)
    ring.current(OURS)
    ring.current(NEIGHBOUR)
    patience = time.monotonic() + 60
    while repr(ring) != "KeyRing(0 tenants)" and time.monotonic() < patience:
        time.sleep(0.01)
    assert repr(ring) == "KeyRing(0 tenants)"


def test_many_threads_get_the_right_keys():
    world = World(capacity=1)
    wrong = []

    def ask(tenant_id):
        expected = bytes([tenant_id.int * 16 + 1]) * 32
        for turn in range(300):
            key = world.ring.version(tenant_id, 1)
            if turn % 50 == 0:
                world.ring.forget(tenant_id)
            if key._material != expected:
                wrong.append(tenant_id)

    threads = [threading.Thread(target=ask, args=(who,)) for who in (OURS, NEIGHBOUR) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_forked_child_starts_without_keys_and_can_read_its_own(world):
    world.ring.current(OURS)
    world.ring._lock.acquire()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12: threads and fork
        child = os.fork()
    if child == 0:
        empty = repr(world.ring) == "KeyRing(0 tenants)"
        works = world.ring.current(NEIGHBOUR).version == 1
        os._exit(0 if empty and works else 1)
    world.ring._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert repr(world.ring) == "KeyRing(1 tenants)"
