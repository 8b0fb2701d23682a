"""Mutated packets, as many as asked for, to the name server's answering side; no socket is opened.

python -m tests.unit.dns.fuzz --count 1000000 --seed 1
"""

import argparse
from random import Random

import dns.message

from cloudstead.dataplane.dns.fast import FastResponder


def mutated(message, chance):
    wire = bytearray(message)
    for _ in range(chance.randrange(1, 4)):
        if len(wire) < 8:
            break
        match chance.randrange(4):
            case 0:
                wire[chance.randrange(len(wire))] = chance.randrange(256)
            case 1:
                wire[2 + chance.randrange(min(10, len(wire) - 2))] ^= 1 << chance.randrange(8)
            case 2:
                del wire[chance.randrange(4, len(wire)) :]
            case _:
                at = chance.randrange(len(wire))
                wire[at:at] = chance.randbytes(chance.randrange(1, 5))
    return bytes(wire)


def run(world, sound, *, count, seed, read_every=1):
    """Answer so many mutated packets; every `read_every`th answer is read by dnspython."""
    chance, fast = Random(seed), FastResponder(world.responder())
    for number in range(count):
        message = mutated(chance.choice(sound), chance)
        tcp = not number % 5
        said = fast.answer(message, lambda: "198.51.100.7", tcp=tcp)
        if isinstance(said, bytes):
            assert said[:2] == message[:2], message.hex()
            assert tcp or len(said) <= 1232, message.hex()
            if not number % read_every:
                dns.message.from_wire(said)


def main():
    from tests.unit.dns.test_fast import messages, world_with_everything

    arguments = argparse.ArgumentParser()
    arguments.add_argument("--count", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    run(world_with_everything(), list(messages()), count=given.count, seed=given.seed, read_every=50)


if __name__ == "__main__":
    main()
