"""What changes reals and fakes on their way to the discriminator while training, and never in what is saved."""

from pgan_tf.augment.pipelines import AUGMENTS as AUGMENTS
from pgan_tf.augment.pipelines import CALLS as CALLS
from pgan_tf.augment.pipelines import Augmentation as Augmentation
from pgan_tf.augment.pipelines import asked as asked
