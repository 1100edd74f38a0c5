"""Protocol steps, one file each: plain functions over a helper party network and shared values."""
