"""What is searched with a trained generator: the training images most like its own, and the latent of an image."""
