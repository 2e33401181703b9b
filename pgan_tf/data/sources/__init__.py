"""One module per kind of source: each reads something foreign and hands it to `pgan_tf.data.writer`."""
