"""Lays out rows of images on a page, with the class name next to each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from training.record import class_captions

_MARGIN, _GAP, _GROUP_GAP, _STACK_GAP, _LABEL_GAP = 16, 2, 12, 32, 12
_TILE = 64
"""Smaller images are enlarged by whole factors up to this size."""
_TALLEST = 1.6
"""Height over width beyond which the blocks are divided into side-by-side stacks."""


@dataclass(frozen=True)
class Block:
    """Images with a common caption."""

    label: str
    images: Tensor
    """Shape (n, 3, r, r) uint8."""
    opens_group: bool = True
    """Whether the space above the block is larger than between two blocks."""


def compose(blocks: Sequence[Block], columns: int) -> Image.Image:
    """Arrange blocks below each other, in as many side-by-side stacks as the page's proportions need."""
    labels = max(class_captions.width(block.label) for block in blocks)
    left = labels + _LABEL_GAP if labels else 0
    count = 1
    # Add side-by-side stacks until the page is not too tall, or each stack is one block.
    while True:
        size = ceil(len(blocks) / count)
        stacks = [_stack(blocks[k : k + size], columns, left) for k in range(0, len(blocks), size)]
        height = max(stack.height for stack in stacks)
        width = sum(stack.width + _STACK_GAP for stack in stacks) - _STACK_GAP
        if height <= _TALLEST * width or size == 1:
            break
        count += 1
    page = Image.new("RGB", (width + 2 * _MARGIN, height + 2 * _MARGIN), "white")
    for number, stack in enumerate(stacks):
        page.paste(stack, (_MARGIN + number * (stack.width + _STACK_GAP), _MARGIN))
    return page


def _stack(blocks: Sequence[Block], columns: int, left: int) -> Image.Image:
    pictures = [_rows(block.images, columns) for block in blocks]
    tops: list[int] = []
    height = 0
    for block, picture in zip(blocks, pictures, strict=True):
        height += (_GROUP_GAP if block.opens_group else _GAP) if tops else 0
        tops.append(height)
        height += picture.height
    stack = Image.new("RGB", (left + max(picture.width for picture in pictures), height), "white")
    draw = ImageDraw.Draw(stack)
    for block, picture, top in zip(blocks, pictures, tops, strict=True):
        stack.paste(picture, (left, top))
        class_captions.draw(draw, block.label, right=left - _LABEL_GAP, middle=top + picture.height // 2)
    return stack


def _rows(images: Tensor, columns: int) -> Image.Image:
    scale = max(1, _TILE // images.shape[-1])
    images = images.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    side = images.shape[-1]
    rows, columns = ceil(len(images) / columns), min(columns, len(images))
    shape = (rows * (side + _GAP) - _GAP, columns * (side + _GAP) - _GAP, 3)
    canvas = torch.full(shape, 255, dtype=torch.uint8)
    for k, image in enumerate(images):
        top, left = (place * (side + _GAP) for place in divmod(k, columns))
        canvas[top : top + side, left : left + side] = image.permute(1, 2, 0)
    return Image.fromarray(canvas.numpy())
