"""The image formats are listed in several modules. A new format must be in all of them."""

import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from app.cli.generate import generate
from app.client import options
from app.main import create_app
from app.settings import Settings
from worker.contracts.formats import SUFFIXES, Format

FORMATS: tuple[Format, ...] = get_args(Format)
IMAGE_FORMATS = tuple(image_format for image_format in FORMATS if image_format != "npz")


def test_the_command_line_offers_every_format() -> None:
    choices = {*get_args(get_args(get_type_hints(generate)["kind"])[0])}
    assert choices == {*FORMATS}


def test_the_client_offers_every_format() -> None:
    assert get_args(options.Format) == FORMATS
    assert get_args(options.ImageFormat) == IMAGE_FORMATS


@pytest.mark.parametrize("path", ["/jobs/{job_id}/images/{index}.{suffix}", "/images/{model}/{seed}/{index}.{suffix}"])
def test_the_endpoints_of_images_document_every_media_type(path: str, tmp_path: Path) -> None:
    endpoint = create_app(Settings(store=str(tmp_path))).openapi()["paths"][path]["get"]
    types = {*endpoint["responses"]["200"]["content"]} - {"application/octet-stream"}
    assert types == {f"image/{image_format}" for image_format in IMAGE_FORMATS}


def test_an_address_may_end_in_the_suffix_of_every_format(tmp_path: Path) -> None:
    paths = create_app(Settings(store=str(tmp_path))).openapi()["paths"]
    parameters = paths["/images/{model}/{seed}/{index}.{suffix}"]["get"]["parameters"]
    (suffix,) = [parameter["schema"] for parameter in parameters if parameter["name"] == "suffix"]
    assert {*suffix["enum"]} == {SUFFIXES[image_format] for image_format in IMAGE_FORMATS}


def test_the_description_of_the_parameter_names_every_format(tmp_path: Path) -> None:
    schemas = create_app(Settings(store=str(tmp_path))).openapi()["components"]["schemas"]
    described = json.dumps(
        [schema["properties"]["format"] for schema in schemas.values() if "format" in schema.get("properties", {})]
    )
    assert [image_format for image_format in FORMATS if f"`{image_format}`" not in described] == []
