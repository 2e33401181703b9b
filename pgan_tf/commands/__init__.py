"""The command line of dataset_tool.py: flags here, work in the modules that the commands import when they run."""
