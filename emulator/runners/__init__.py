"""What nodes run on: real processes, or nothing but the clock."""
