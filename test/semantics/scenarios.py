"""scenarios.py [NAME...]: runs the scenarios, or those that are named, on this Python, and prints what each reports. `_quiet` must be importable."""
import sys

import scenarios_automatic
import scenarios_callbacks
import scenarios_counts
import scenarios_cycles
import scenarios_death
import scenarios_finalizers
import scenarios_looking
import scenarios_tables
import scenarios_weak
import scenarios_weak_callbacks
import scene

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    for name in sys.argv[1:] or scene.SCENARIOS:
        scene.run(name)
