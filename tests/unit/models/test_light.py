import subprocess
import sys

CODE = """
import sys
from models import checkpoint, registry
checkpoint.load_generator(registry.find("faces-64"))
print("torch._dynamo" in sys.modules)
"""


def test_a_checkpoint_is_loaded_without_the_compiler_which_takes_a_second() -> None:
    assert subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout == "False\n"
