"""The files inside an archive, and the records that they hold, in Croissant. Pure."""

from collections.abc import Iterable
from typing import Any

from worker.contracts.formats import SUFFIXES, Format
from worker.contracts.image_record import image_record
from worker.contracts.jobs import JobSpec

Json = dict[str, Any]

ARCHIVE = "archive"
"""Name of the archive. A reader maps it to a local file."""
_METADATA, _IMAGES = "metadata", "images"
_AS_TEXT = {"regex": "(.*)"}
"""A transform that makes a text of a path."""
_KEY = {"regex": r"(\d+)\."}
"""A transform that takes the index from a file name of the layout `webdataset`."""
_MEDIA_TYPES: dict[Format, str] = {"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"}


def record_sets(spec: JobSpec) -> tuple[list[Json], list[Json]]:
    """Return the files and file sets inside the archive of a job, and its record sets."""
    if spec.format == "npz":
        return [_metadata_file()], [_record_set(_METADATA, _metadata_fields(spec))]
    if spec.packing == "parquet":
        return _parquet(spec)
    if spec.packing == "webdataset":
        return _webdataset(spec)
    return _image_folder(spec)


def _image_folder(spec: JobSpec) -> tuple[list[Json], list[Json]]:
    pattern = f"images/{'*/' if spec.classes else ''}*.{SUFFIXES[spec.format]}"
    files = [_metadata_file(), _file_set(_IMAGES, pattern, _MEDIA_TYPES[spec.format])]
    path = _field(_IMAGES, "file_name", "sc:Text", _of_file_set(_IMAGES, "fullpath", _AS_TEXT))
    path["references"] = {"field": {"@id": f"{_METADATA}/file_name"}}
    fields = [_field(_IMAGES, "image", "sc:ImageObject", _of_file_set(_IMAGES, "content")), path]
    if spec.classes:
        label = {"source": {"field": {"@id": f"{_METADATA}/label"}}}
        fields.append({**_field(_IMAGES, "label", "sc:Text", {}), **label})
    return files, [_record_set(_METADATA, _metadata_fields(spec)), _record_set(_IMAGES, fields)]


def _parquet(spec: JobSpec) -> tuple[list[Json], list[Json]]:
    # mlcroissant 1.1 reads Parquet files of a folder, but not of a ZIP.
    names = {"index": "sc:Integer", "seed": "sc:Integer", "sha256": "sc:Text", "dhash": "sc:Text"}
    if spec.classes:
        names["label"] = "sc:Integer"
    fields = [_field(_IMAGES, "image", "sc:ImageObject", _of_column(_IMAGES, "image", {"jsonPath": "bytes"}))]
    fields += [_field(_IMAGES, name, kind, _of_column(_IMAGES, name)) for name, kind in names.items()]
    return [_file_set(_IMAGES, "data/*.parquet", "application/x-parquet")], [_record_set(_IMAGES, fields)]


def _webdataset(spec: JobSpec) -> tuple[list[Json], list[Json]]:
    """Return record sets that share the field `key`. Readers cannot join them: the names of their files differ."""
    parts = [(_IMAGES, "image", "sc:ImageObject", SUFFIXES[spec.format], _MEDIA_TYPES[spec.format])]
    parts.append((_METADATA, "json", "sc:Text", "json", "application/json"))
    if spec.classes:
        parts.append(("labels", "label_id", "sc:Integer", "cls", "text/plain"))
    files = [_file_set(name, f"*.{suffix}", media_type) for name, _, _, suffix, media_type in parts]
    records = [
        _record_set(
            name,
            [
                _field(name, "key", "sc:Text", _of_file_set(name, "filename", _KEY)),
                _field(name, content, kind, _of_file_set(name, "content")),
            ],
        )
        for name, content, kind, _, _ in parts
    ]
    return files, records


def _columns(spec: JobSpec) -> dict[str, str]:
    """Return the fields of the metadata of an image with their types."""
    label, score = 0 if spec.classes else None, 0 if spec.scores_images else None
    record = {"file_name": "", **image_record(spec, spec.first, label, sha256="", dhash="", score=score)}
    return {name: "sc:Integer" if isinstance(value, int) else "sc:Text" for name, value in record.items()}


def _metadata_fields(spec: JobSpec) -> list[Json]:
    """Return the fields of the file metadata.jsonl."""
    return [
        _field(_METADATA, name, kind, {"fileObject": {"@id": "metadata.jsonl"}, "extract": {"column": name}})
        for name, kind in _columns(spec).items()
    ]


def _metadata_file() -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": "metadata.jsonl",
        "name": "metadata.jsonl",
        "contentUrl": "metadata.jsonl",
        "containedIn": {"@id": ARCHIVE},
        "encodingFormat": "application/jsonlines",
    }


def _file_set(name: str, pattern: str, media_type: str) -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "containedIn": {"@id": ARCHIVE},
        "encodingFormat": media_type,
        "includes": pattern,
    }


def _of_file_set(name: str, what: str, transform: Json | None = None) -> Json:
    source = {"fileSet": {"@id": f"{name}-files"}, "extract": {"fileProperty": what}}
    return source | ({"transform": transform} if transform else {})


def _of_column(name: str, column: str, transform: Json | None = None) -> Json:
    source = {"fileSet": {"@id": f"{name}-files"}, "extract": {"column": column}}
    return source | ({"transform": transform} if transform else {})


def _record_set(name: str, fields: Iterable[Json]) -> Json:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": list(fields)}


def _field(records: str, name: str, kind: str, source: Json) -> Json:
    return {"@type": "cr:Field", "@id": f"{records}/{name}", "name": name, "dataType": kind, "source": source}
