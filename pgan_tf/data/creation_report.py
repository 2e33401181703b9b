"""What a create_* command says at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pgan_tf.data.writer import DatasetWriter
from pgan_tf.text import shown


@dataclass
class Report:
    """What was found and written. str() of it is text for the user."""

    source: str
    notes: list[str] = field(default_factory=list)  # decisions taken for the user
    modes: Counter = field(default_factory=Counter)  # Pillow's names
    remarks: Counter = field(default_factory=Counter)  # what the pictures themselves remarked, source.Picture
    sizes: Counter = field(default_factory=Counter)  # (width, height)
    skipped: list[tuple[str, str]] = field(default_factory=list)  # (file, reason)
    label_names: list[str] = field(default_factory=list)
    folder: Path = Path()
    besides: int | None = None  # how many files were listed that are no pictures of the set; None: nothing was listed
    examples: dict[tuple[int, int], str] = field(default_factory=dict)  # the first picture of each size
    images: int = 0
    resolutions: list[int] = field(default_factory=list)  # rising
    channels: int = 0
    label_size: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def finish(self, writer: DatasetWriter, label_size: int, seconds: float) -> Report:
        """Takes over what the writer knows."""
        self.folder, self.images, self.bytes = writer.folder, writer.count, writer.bytes
        self.resolutions, self.channels = sorted(writer.resolutions), writer.channels
        self.label_size, self.seconds = label_size, seconds
        return self

    def __str__(self) -> str:
        side, colour = self.resolutions[-1], "RGB" if self.channels == 3 else "grey"
        lines = [
            f"{self.folder}: {self.images} image{'s' * (self.images != 1)}, {side}x{side} {colour}",
            f"  source       {self.source}",
            f"  resolutions  {', '.join(map(str, self.resolutions))}",
            f"  labels       {self._labels()}",
        ]
        if self.sizes:
            lines.append(f"  sizes seen   {_most_common({f'{w}x{h}': n for (w, h), n in self.sizes.items()})}")
            lines.append(f"  modes seen   {_most_common(self.modes)}")
        if self.besides is not None:
            lines.append(f"  listed       {self._listed()}")
        lines += [f"  note         {note}" for note in self.notes]
        lines.append(f"  skipped      {len(self.skipped)}")
        lines += [f"    {file}: {reason}" for file, reason in self.skipped]
        rate = self.images / max(self.seconds, 1e-9)
        lines.append(f"  written      {self.bytes / 1e6:.1f} MB in {self.seconds:.1f} s, {rate:.0f} images/s")
        return "\n".join(map(shown, lines))

    def _listed(self) -> str:
        """All that was found, and what became of it: nothing goes without a word."""
        listed = self.images + len(self.skipped) + self.besides
        return f"{listed} = {self.images} written + {len(self.skipped)} skipped + {self.besides} files besides"

    def _labels(self) -> str:
        if not self.label_size:
            return "none"
        names = ", ".join(self.label_names)
        return f"{self.label_size} classes" + (f": {names}" if names else "")


def _most_common(counts: dict[str, int], limit: int = 6) -> str:
    text = ", ".join(f"{name} ({count})" for name, count in Counter(counts).most_common(limit))
    return text + (f", and {len(counts) - limit} more" if len(counts) > limit else "")
