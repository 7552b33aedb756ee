"""Verifies images: renders the address in an image's mark again, and compares the pixels."""

from anyio import to_thread
from PIL import Image

from app.auth.api_keys import Caller
from app.cluster.model_catalog import ModelCatalog
from app.errors import ApiError
from app.jobs.address_renderer import AddressRenderer
from app.jobs.point_renderer import PointRenderer
from app.jobs.watcher import IsDisconnected
from app.provenance import verdicts
from app.provenance.image_search import ImageSearch
from app.provenance.pixel_comparison import compare
from app.schemas.requests import ImageRequest
from app.schemas.verification import PixelDifference, Verification
from app.styles.decode_queue import DecodeQueue, decode_upload
from app.styles.limits import MAX_SIDE_PIXELS
from worker.contracts.catalog import CatalogEntry
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.extraction import find_packet
from worker.contracts.marks.image_address import ImageAddress
from worker.contracts.marks.point_address import PointAddress
from worker.contracts.marks.xmp_packet import find_address, find_point_address

_UNKNOWN_STYLE = ("unknown_style", "no_style_transfer")
"""Codes of errors that say that the service cannot style the image again."""
_SIGNATURES: dict[bytes, Format] = {b"\xff\xd8\xff": "jpeg", b"RIFF": "webp"}


class Verifier:
    """Verifies uploaded images. Raises ApiError."""

    def __init__(
        self,
        models: ModelCatalog,
        addresses: AddressRenderer,
        points: PointRenderer,
        search: ImageSearch,
        decodes: DecodeQueue,
    ) -> None:
        self._models = models
        self._addresses = addresses
        self._points = points
        self._search = search
        self._decodes = decodes

    async def verify(self, file: bytes, caller: Caller, is_disconnected: IsDisconnected) -> Verification:
        """Return whether this service can render an image again, and from which address.

        The mark is parsed before any decoder reads the file. An image without a mark is searched for in recent jobs.
        """
        packet = find_packet(file)
        address = find_address(packet) if packet else None
        image = await self._decodes.run(decode_upload, file, MAX_SIDE_PIXELS)
        point = find_point_address(packet) if packet and address is None else None
        if point is not None:
            return await self._verify_point(image, point, _format_of(file), caller, is_disconnected)
        if address is None:
            return await self._decodes.run(self._search.find, image, caller.owner) or verdicts.unmarked()
        model = await to_thread.run_sync(self._models.find_by_sha256, address.model)
        if model is None:
            return verdicts.unknown_model(address)
        if not _has_class(model, address):
            return verdicts.impossible(address, model)
        return await self._verify(
            image, _request(address, model, _format_of(file)), model, address, caller, is_disconnected
        )

    async def _verify(
        self,
        image: Image.Image,
        request: ImageRequest,
        model: CatalogEntry,
        address: ImageAddress,
        caller: Caller,
        is_disconnected: IsDisconnected,
    ) -> Verification:
        try:
            spec = await self._addresses.create_spec(request, caller)
        except ApiError as error:
            if error.code in _UNKNOWN_STYLE:
                return verdicts.unknown_style(address, model)
            raise
        if spec.style != address.style:  # the method or the weights of VGG19 have changed
            return verdicts.unknown_style(address, model)
        spec = await to_thread.run_sync(self._with_numerics, spec, address.numerics)
        _, rendered = await self._addresses.render(spec, caller, is_disconnected)
        difference: PixelDifference = await self._decodes.run(compare, image, rendered)
        return verdicts.compared(address, model, difference)

    async def _verify_point(
        self,
        image: Image.Image,
        address: PointAddress,
        image_format: Format,
        caller: Caller,
        is_disconnected: IsDisconnected,
    ) -> Verification:
        model = await to_thread.run_sync(self._models.find_by_sha256, address.model)
        if model is None:
            return verdicts.unknown_model(address)
        if not address.has_classes_of(model.classes):
            return verdicts.impossible(address, model)
        if address.style is not None:  # no endpoint renders styled images of points
            return verdicts.unknown_style(address, model)
        spec = await self._points.create_spec(address.point(model.classes), model.sha256, image_format, caller)
        spec = await to_thread.run_sync(self._with_numerics, spec, address.numerics)
        _, rendered = await self._points.render(spec, caller, is_disconnected)
        difference: PixelDifference = await self._decodes.run(compare, image, rendered)
        return verdicts.compared(address, model, difference)

    def _with_numerics(self, spec: JobSpec, name: str) -> JobSpec:
        """Return a job with the numerics of an address, if a live worker has them: only those give equal pixels."""
        numerics = self._models.numerics(spec.model, name) or spec.model.numerics
        return spec.model_copy(update={"model": spec.model.model_copy(update={"numerics": numerics})})


def _has_class(model: CatalogEntry, address: ImageAddress) -> bool:
    """Return whether the model has the class of an address. An unconditional model has none."""
    if address.class_number is None:
        return not model.classes
    return address.class_number < len(model.classes)


def _request(address: ImageAddress, model: CatalogEntry, image_format: Format) -> ImageRequest:
    parameters = {"n": 1, "model": model.sha256, "seed": address.seed, "start": address.index, "format": image_format}
    return ImageRequest.model_validate(parameters | verdicts.image_options(address, model))


def _format_of(file: bytes) -> Format:
    """Return the format of an image file. Images are compared in their own format, because JPEG changes pixels."""
    return next((found for signature, found in _SIGNATURES.items() if file.startswith(signature)), "png")
