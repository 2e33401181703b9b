"""The programs, a module each: `main(argv)` reads its flags, does the work and returns the exit status."""
