"""What a trained generator shows: sheets of pictures and videos, and the walks through its latents."""
