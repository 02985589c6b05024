"""Tables of what the real service offers: images and VM sizes."""
