"""`python -m demo_data`."""

from demo_data.cli import main

main(prog_name="python -m demo_data")
