"""Forms that write a pool's document. Their fields are named by the paths of what they write."""
