"""The sentences of a dataset's card, in the order of its sections. Names in braces are replaced."""

HEAD = """---
license: other
license_name: {licence_id}
license_details: {quoted_licence}
pretty_name: {n} images from {model}
tags: [synthetic, imagemill]
{class_names}{loader}---
# {n} synthetic images from `{model}`

**A model generated these images. They are no photographs.**
Their IPTC digital source type is [trainedAlgorithmicMedia]({source}).

![The first images of the dataset]({grid})

The grid shows the first images of the dataset, not selected by hand.{order} `{report}` has
all facts of this card for programs. The sections are those of *Datasheets for Datasets* (Gebru
et al. 2021)."""

MOTIVATION = """## Motivation

Imagemill made this dataset on request. It renders images with a generative adversarial network
(GAN). Such datasets enlarge small sets of real images, and test programs that read images. The
purpose of this one is known to the person who requested it; state it here."""

COMPOSITION = """## Composition

Each instance is one generated image with its metadata. The dataset is complete: it refers to no
other files, and no image is missing. {split} Images of other indices of
the same seed are independent of these."""

NO_SPLIT = """It has no recommended split."""
SPLIT = """It is the split `{split}`: the other splits of the seed have none of its images."""

CLASSES = """The number after the name of a class is its label in every dataset of the model."""

CLASS_YIELDS = """The last column is the share of the model's images of the class that pass the realism test{judge}.
About 95 % of real images pass it."""

QUALITY = """### Quality"""

METRICS = """The checkpoint of the model has these figures. They were measured during training, against
training images, without a quality gate. They are of the model, not of these images. The card
beside the checkpoint has the figures of real images for comparison."""

MEANINGS = {
    "fd": "Frechet distance to real images; lower is better",
    "fid": "Frechet inception distance to real images; lower is better",
    "kd": "kernel distance to real images; lower is better",
    "kid": "kernel inception distance to real images; lower is better",
    "precision": "share of generated images that lie among real ones: quality",
    "recall": "share of real images that lie among generated ones: variety",
    "density": "real neighbourhoods around a generated image: quality",
    "coverage": "share of real images with a generated one in their neighbourhood: variety",
    "yield": "share of generated images that pass the realism test",
    "nearest_ratio": "distance to the nearest training image; far below 1 means copies",
    "copies": "share of images nearer to a training image than 99 % of other real images",
    "diversity": "mean distance of two generated images over that of two real ones; 0 means all are equal",
    "label_agreement": "share of images whose nearest real images have the same class",
}

GATE_EFFECT = """The quality gate chose the images of this dataset. It was tried on images that it has not seen.
The yield is the share of images that pass the realism test of `{judge}`. A gate trades variety
(recall) for quality. FD is the Frechet distance to real images: lower is better. Of the others,
higher is better."""

SCORES = """A score is the rank of an image among the model's own images of its class, from 0 to 1000. The
scores of this dataset go from {least} to {most}; the quartiles are {quarter}, {median} and
{three_quarters}."""

NO_FIGURES = """No figures are known of this model. `imagemill evaluate` measures it, and datasets as well."""

MEMORISATION = """### Copies and near-duplicates"""

SIMILAR = """Of the {pairs} pairs of the first {images} images, {close_pairs} have hashes (`dhash` in the
metadata) that differ in at most {bits} of 64 bits."""

SIMILAR_REALS = """ As many training images have {expected:.3g} such pairs on average."""

COPIES_KEPT = """This dataset was not searched for copies of training images. A generated image can resemble one."""

COPIES_DROPPED = """The service searched for copies of training images: candidates whose hash differs from that of a
training image in at most {bits} of 64 bits. It found {dropped} and left them out. A hash finds
near-exact copies only, so an image can still resemble one."""

COLLECTION = """## Collection process

No data was collected from persons. Each image is computed from its address: the model, the
seed, the index and the class. The classes of consecutive indices repeat the requested
proportions.

The model learned from `{data}`. Licence of these training images: {licence}."""

CURATED = """A person looked at the images and threw out {count} of them. The next images of the same classes, in
the order of their indices, are in their place. So the dataset is no unselected sample of the model. An
index of the model's sequence names each of these images:"""

KEPT_ALL = """No image was left out: the dataset has the images of all indices in its range."""

SELECTED = """The dataset keeps {kept} of {tried} candidates: {share}. Candidates of complete classes do not
count.

| rejected | candidates |
| --- | --- |
| the score is too low | {below_score} |
| copies of training images | {copies} |
| near an earlier image | {near_duplicates} |"""

PREPROCESSING = """## Preprocessing, cleaning, labeling

{encoded} Images were not cropped, resized or retouched after rendering. The metadata has a
checksum (sha256) and a hash of the coarse structure (dhash) of each image.

{labels}"""

ENCODINGS = {
    "png": "Each image is a PNG file, without loss.",
    "webp": "Each image is a WebP file, without loss.",
    "jpeg": "Each image is a JPEG file of quality 95, without chroma subsampling.",
    "npz": "The arrays hold raw pixels.",
}

LABELS = """A label is the class that the generator was asked for. No person has checked it, and an image
can look like another class."""

NO_LABELS = """The images have no labels, because the model has no classes."""
NO_LABELS_OF_FRAMES = """The images have no labels, because they are frames of a walk."""

USES = """## Uses

Use the images beside real ones, and measure the benefit on real images that no training has
seen. `imagemill prove` does so.

```python
{reading}
```

The dataset is not good for these uses:

{warnings}"""

NOT_FOR = """- Facts about the world. The proportions are those of the request, not of a population.
- A test set on its own. Success on generated images says little about real ones.
- Recognition of persons, or decisions about them.
- Anonymous data. A generated image can resemble an image of the training data.
- Training of further generators on it alone. They repeat and amplify the errors of this one."""

LOW_VARIETY = (
    """- Rare cases. About {share:.0%} of the real images have a generated one in their neighbourhood (coverage)."""
)

NOT_ALL_REAL = """- Uses in which each image must look real. About {share:.0%} of the images pass the realism test
  of `{judge}` at `keep={keep:g}`."""

DISTRIBUTION = """## Distribution

- Licence: the licence of the training data is "{licence}". Check what it demands of generated
  images.
- Address: image `i` is fixed by ({address}). The same address always gives the same bytes on
  workers of the same numerics. {growth}
- Marks: {marks}
- Verify: `imagemill verify FILE` finds the address of an image, renders it again and compares
  the pixels.
- Statement for readers: "These images were generated by a model." Keep the digital source type
  with every copy: `{source}`."""

MARKED = "each image file holds its address and the digital source type, as XMP."
NOT_MARKED = "the image files have no marks. This card and the report state the digital source type."

GROWTH = "A larger dataset of the same request begins with these images."
GROWTH_OF_A_WALK = "A larger dataset of the same walk has other frames, closer to each other."
GROWTH_OF_A_SELECTION = "A larger dataset of the same request may have other images between these."
"""A selection stops at different indices in each class, and a larger dataset goes on there."""

MORE_IMAGES = """| add images to this dataset | `POST /jobs/JOB/extend?n=500` |
| make another dataset without overlap | the same request with `start={next_start}` |
"""
MAINTENANCE = """## Maintenance

The operator of the Imagemill service keeps the request, so the same bytes can be rendered again
after the images have expired. `JOB` is the id of the job.

| to | request |
| --- | --- |
{growth}| render expired images again | `POST /jobs/JOB/rebuild` |
| describe it in Croissant | `GET /jobs/JOB/croissant.json` |"""
