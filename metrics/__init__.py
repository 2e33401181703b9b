"""How good are these images? Arrays or streams of uint8 images in, numbers out; knows nothing of pgan_tf.

Images are uint8 [N,H,W,C] with C = 1 or 3, 0 = black, 255 = full.
"""
