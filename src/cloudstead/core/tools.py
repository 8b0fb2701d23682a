"""What an operation may take from the world: the time and chance. Both can be replayed."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom

from cloudstead.core.clock import Clock, SystemClock


@dataclass(frozen=True)
class Tools:
    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=SystemRandom)

    def this_second(self) -> datetime:
        """The wall-clock time as services tell it that know no fractions."""
        return self.clock.now().replace(microsecond=0)
