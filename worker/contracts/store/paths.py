"""Paths of objects in the store."""

OPEN = "open"
DUE = "due"
JOBS = "jobs"
STYLES, OWNED, DROPPED = "styles", "owned", "dropped"
LISTED, NAMED = "listed", "named"
DISTILLED = "learnt"
MODELS = "models"
FOLDERS = (OPEN, DUE, JOBS, LISTED, NAMED, STYLES, OWNED, DROPPED, DISTILLED, MODELS)


def marker(job_id: str) -> str:
    """Return the path of the marker of an open job."""
    return f"{OPEN}/{job_id}"


def job(job_id: str) -> str:
    """Return the folder of a job."""
    return f"{JOBS}/{job_id}"


def spec(job_id: str) -> str:
    """Return the path of a job's JobSpec."""
    return f"{job(job_id)}/spec.json"


def state(job_id: str) -> str:
    """Return the path of a job's JobState."""
    return f"{job(job_id)}/state.json"


def tail(job_id: str) -> str:
    """Return the path of the tail of a job's archive."""
    return f"{job(job_id)}/tail.bin"


def archive(job_id: str) -> str:
    """Return the path of a job's ArchivePlan."""
    return f"{job(job_id)}/archive.json"


def digest(job_id: str) -> str:
    """Return the path of the checksum of a job's archive."""
    return f"{job(job_id)}/digest.json"


def extensions(job_id: str) -> str:
    """Return the folder of the notes about the jobs that extend a job."""
    return f"{job(job_id)}/extended"


def picks(job_id: str) -> str:
    """Return the path of the list of images that the user excludes."""
    return f"{job(job_id)}/picks.json"


def shards(job_id: str) -> str:
    """Return the folder of a job's shards."""
    return f"{job(job_id)}/shards"


def merged(job_id: str, shard: int, crc32: int) -> str:
    """Return the path of a slice of the archive that was laid out again from the images of stored shards."""
    return f"{merged_slices(job_id)}/{shard:05d}.{crc32:08x}.bin"


def removals(job_id: str) -> str:
    """Return the folder of the notes of requests that are about to remove the images of a job."""
    return f"{job(job_id)}/removing"


def merged_slices(job_id: str) -> str:
    """Return the folder of the slices of an archive that were laid out again."""
    return f"{job(job_id)}/merged"


def shard_index(job_id: str, shard: int) -> str:
    """Return the path of a ShardIndex."""
    return f"{shards(job_id)}/{shard:05d}.json"


def listed(owner: str) -> str:
    """Return the folder of the list entries of an owner's jobs. No owner is named `-`."""
    return f"{LISTED}/{owner or '-'}"


def named(owner: str, name: str) -> str:
    """Return the folder of the list entries of an owner's jobs of one name."""
    return f"{NAMED}/{owner or '-'}/{name}"


def style_image(style_id: str) -> str:
    """Return the path of a style image."""
    return f"{STYLES}/{style_id}/picture.png"


def style_entries(owner: str) -> str:
    """Return the folder of the StyleEntries of an owner."""
    return f"{OWNED}/{owner}" if owner else STYLES


def style_entry(owner: str, style_id: str) -> str:
    """Return the path of a StyleEntry of an owner."""
    return f"{OWNED}/{owner}/{style_id}.json" if owner else f"{STYLES}/{style_id}/style.json"


def dropped_style(style_id: str) -> str:
    """Return the path of the note that an owner has removed a style."""
    return f"{DROPPED}/{style_id}"


def distilled_weights(key: str) -> str:
    """Return the path of the weights of a distilled model."""
    return f"{DISTILLED}/{key}/weights.safetensors"


def distillation_state(key: str) -> str:
    """Return the path of the state of a distillation that has not ended."""
    return f"{DISTILLED}/{key}/state.safetensors"


def model(sha256: str) -> str:
    """Return the folder of the files of a model."""
    return f"{MODELS}/{sha256}"


def model_file(sha256: str, name: str) -> str:
    """Return the path of a file of a model."""
    return f"{model(sha256)}/{name}"
