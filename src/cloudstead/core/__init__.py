"""Words every layer shares: ids, clock, errors, caller. No I/O, imports nothing of ours."""
