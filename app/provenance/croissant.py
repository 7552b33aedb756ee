"""Describes a finished dataset in Croissant 1.0, the JSON-LD vocabulary of MLCommons for datasets. Pure.

Sources: docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html, and croissant-rai-spec.html for the `rai` fields.
"""

from dataclasses import dataclass
from typing import Any

from app.archive_name import archive_name
from app.provenance.croissant_records import ARCHIVE, record_sets
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.xmp_packet import DIGITAL_SOURCE_TYPE

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of the specification, and `prov`. `containedIn` comes from @vocab: readers do not find it elsewhere."""


@dataclass(frozen=True)
class ArchiveFile:
    """The archive of a dataset, as a file that can be downloaded."""

    url: str
    """Absolute URL."""
    media_type: str
    size: int
    sha256: str


def describe_in_croissant(spec: JobSpec, job: Job, archive: ArchiveFile) -> dict[str, Any]:
    """Return the description of the dataset of a job that has succeeded, as JSON-LD."""
    name, model = archive_name(job), spec.model
    files, records = record_sets(spec)
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name.rpartition(".")[0],
        "description": (
            f"{spec.n} images of {model.resolution} x {model.resolution} px that the model {model.name} generated, "
            f"seed {spec.seed}. They are no photographs."
        ),
        "license": model.licence,
        "url": archive.url,
        "version": "1.0.0",
        "datePublished": (job.finished or job.created).date().isoformat(),
        "creator": {"@type": "sc:Organization", "name": "Imagemill", "url": archive.url},
        "keywords": ["synthetic", "images", "imagemill"],
        "citeAs": (
            f"@misc{{imagemill-{spec.model.sha256[:8]}-{spec.seed}, "
            f"title = {{{spec.n} synthetic images from {model.name}}}, "
            f"note = {{model sha256 {model.sha256}, seed {spec.seed}, archive sha256 {archive.sha256}}}}}"
        ),
        **_responsible_ai(spec),
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:used": [f"urn:sha256:{model.sha256}"],
            "description": f"Rendered by a generative adversarial network in {model.numerics.name}.",
            "sc:digitalSourceType": DIGITAL_SOURCE_TYPE,
        },
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": ARCHIVE,
                "name": name,
                "contentUrl": archive.url,
                "contentSize": f"{archive.size} B",
                "encodingFormat": archive.media_type,
                "sha256": archive.sha256,
            },
            *files,
        ],
        "recordSet": records,
    }


def _responsible_ai(spec: JobSpec) -> dict[str, Any]:
    """Return the fields of Croissant RAI."""
    return {
        "rai:dataCollection": f"Images were rendered from latents of seed {spec.seed}. No persons were involved.",
        "rai:dataCollectionType": "Synthetic data",
        "rai:dataBiases": (
            f"The images have the biases of the training data ({spec.model.data}) and of the model. The proportions of "
            "the classes are those of the request."
        ),
        "rai:dataLimitations": (
            "Generated images may look unreal or unlike their class, and may resemble training images. Rare kinds of "
            "images are missing. Do not use them as the only test set, or to draw conclusions about persons."
        ),
        "rai:dataUseCases": "Training data beside real images; tests of programs that read images.",
        "rai:personalSensitiveInformation": "None was collected. Training images may show persons.",
        "rai:dataReleaseMaintenancePlan": "The same bytes can be rendered again from the request.",
    }
