import subprocess
import sys
from pathlib import Path

import pytest

from models import checkpoint
from models.registry import Architecture, build_generator

pytestmark = pytest.mark.slow

CODE = """
import sys
from pathlib import Path
from models import checkpoint
checkpoint.load_generator(Path(sys.argv[1]))
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize("name", ["dcgan", "residual"])
def test_a_checkpoint_is_loaded_without_the_compiler_which_takes_a_second(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    architecture = Architecture.model_validate(
        {"name": name, "resolution": 32, "latent_dim": 8, "channels": 8, "classes": 2}
    )
    header = checkpoint.Header(
        name="m",
        architecture=architecture,
        classes=("a", "b"),
        data=checkpoint.DataCredit(name="d", licence="CC0-1.0", images=1),
        training=checkpoint.Training(images_seen=0, minutes=0, device="cpu"),
        metrics={},
        recipe={},
        versions={},
    )
    checkpoint.save(path, header, build_generator(architecture))
    done = subprocess.run([sys.executable, "-c", CODE, path], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
