"""Resources and their rules as plain objects: time and identifiers are handed in, nothing here waits or stores."""
