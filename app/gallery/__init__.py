"""The gallery of a job: sheets of thumbnails, the order of its images, and the images that the user throws out."""
