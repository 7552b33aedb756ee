// The fold "Load it": how programs read the dataset.

import { codeBlock } from "../../components/code_block.js";
import { url } from "../../shell/api.js";
import { archiveUrl, archiveSuffix } from "../jobs/job_text.js";

/** @import { Job } from "../jobs/job_text.js" */

/** @param {Job} job */
export function loadCode(job) {
  const server = url("").replace(/\/$/, "");
  const file = `${job.model}.${archiveSuffix(job)}`;
  return codeBlock({
    method: "GET",
    path: `jobs/${job.id}/download`,
    output: file,
    python: `from app.client import Client

with Client("${server}") as client:
    client.download("${job.id}", "${file}")
    for image in client.images("${job.id}"):
        print(image.index, image.label)`,
    command: `imagemill generate --job ${job.id} -o ${file}`,
    more: [...datasets(job, file), { title: "PyTorch", text: pytorch(job, file) }],
  });
}

/**
 * @param {Job} job
 * @param {string} file
 */
function datasets(job, file) {
  if (job.format === "npz") {
    return [];
  }
  const text =
    job.layout === "webdataset"
      ? `load_dataset("webdataset", data_files="${archiveUrl(job)}", split="train")`
      : job.layout === "parquet"
        ? `load_dataset("parquet", data_files="unzipped/data/*.parquet", split="train")  # after: unzip ${file} -d unzipped`
        : `load_dataset("imagefolder", data_files="${archiveUrl(job)}", split="train")`;
  return [{ title: "Hugging Face datasets", text: `from datasets import load_dataset\n\nimages = ${text}` }];
}

/**
 * @param {Job} job
 * @param {string} file
 */
function pytorch(job, file) {
  if (job.format === "npz") {
    return `import numpy as np
import torch

with np.load("${file}") as arrays:
    images = np.concatenate([arrays[name] for name in sorted(arrays.files) if name.startswith("images_")])
    labels = torch.from_numpy(arrays["labels"])
images = torch.from_numpy(images).permute(0, 3, 1, 2)  # (n, 3, h, w), uint8`;
  }
  if (job.layout === "webdataset") {
    return `import webdataset

samples = webdataset.WebDataset("${file}", shardshuffle=False).decode("pil")  # keys: image, cls, json`;
  }
  if (job.layout === "parquet") {
    return `from datasets import load_dataset

images = load_dataset("unzipped", split="train").with_format("torch")  # after: unzip ${file} -d unzipped`;
  }
  return `from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor

images = ImageFolder("unzipped/images", transform=ToTensor())  # after: unzip ${file} -d unzipped`;
}
