"""Lets `python -m crm.cli` do what `freehold` does."""

from crm.cli import main

main(prog_name="freehold")
