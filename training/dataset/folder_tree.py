"""The folders of images as a tree, with the number of images below each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from training.dataset import source_paths


@dataclass
class Folder:
    """A folder with images, at any depth."""

    path: tuple[str, ...]
    direct: list[str] = field(default_factory=list)
    """Paths of the images in the folder itself."""
    inner: dict[str, "Folder"] = field(default_factory=dict)
    total: int = 0
    """Number of images in it, at any depth."""

    @property
    def name(self) -> str:
        """The last part of the path; empty at the top."""
        return self.path[-1] if self.path else ""

    def all(self) -> Iterator[str]:
        """Yield the paths of all images in it, at any depth."""
        yield from self.direct
        for folder in self.inner.values():
            yield from folder.all()


def build_tree(images: Iterable[str]) -> Folder:
    """Return the top folder of some image paths."""
    top = Folder(())
    for image in images:
        folder = top
        top.total += 1
        # Each image counts in every folder on its path.
        for part in source_paths.folders(image):
            if part not in folder.inner:
                folder.inner[part] = Folder((*folder.path, part))
            folder = folder.inner[part]
            folder.total += 1
        folder.direct.append(image)
    return top
