"""What an operation may take from the world: the time and chance. Both can be replayed."""

import random
from dataclasses import dataclass, field

from cloudstead.core.clock import Clock, SystemClock


@dataclass(frozen=True)
class Tools:
    clock: Clock = field(default_factory=SystemClock)
    random: random.Random = field(default_factory=random.SystemRandom)
