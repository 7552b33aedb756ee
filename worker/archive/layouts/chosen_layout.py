"""The choice of a job's layout."""

from worker.archive.layouts import arrays, image_folder, parquet, webdataset
from worker.archive.layouts.layout import Layout
from worker.contracts.formats import Packing
from worker.contracts.jobs import JobSpec

_LAYOUTS: dict[Packing, Layout] = {"imagefolder": image_folder, "parquet": parquet, "webdataset": webdataset}


def layout_of(spec: JobSpec) -> Layout:
    """Return the layout of a job's archive."""
    return arrays if spec.format == "npz" else _LAYOUTS[spec.packing]
