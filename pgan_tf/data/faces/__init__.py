"""A high-quality set from any pictures of faces, as the appendix of Karras et al. 2018 makes CelebA-HQ of CelebA."""

from pgan_tf.data.faces.create import FaceOptions, create_from_faces

__all__ = ["FaceOptions", "create_from_faces"]
