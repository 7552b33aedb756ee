"""Quality metrics of samples: distances between the features of real and fake images. Independent of training."""
