#!/usr/bin/env bash
# On an offline GPU machine, in the root of the tree, with a pack of benchmarks/gpu/pack.py in .gpu:
#   bash benchmarks/gpu/one.sh SECONDS SECTION...
# The results are written to the folder $OUT. The machine's own Python must have PyTorch.
set -u
began=$(date +%s)
seconds=$1
shift
pack=${PACK:-$PWD/.gpu}
out=${OUT:-/tmp/gpu-results}
env=${ENVIRONMENT:-/tmp/gpu-environment}
mkdir -p "$out"

# The environment has the wheels first and the machine's own packages behind them.
python3 -m venv --without-pip "$env" || exit 1
site=$("$env/bin/python" -c 'import site; print(site.getsitepackages()[0])')
python3 -c 'import json, site; print("import site; [site.addsitedir(f) for f in " + json.dumps(site.getsitepackages()) + "]")' \
  > "$site/machine.pth"
echo "$PWD" > "$site/tree.pth"
cp -r "$pack"/metadata/* "$site/"
python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$pack"/wheels/*.whl || exit 1
export PYTHONUNBUFFERED=1

files=()
[ -f "$pack/vgg19.safetensors" ] && files+=(--vgg19 "$pack/vgg19.safetensors" --painting "$pack/painting.jpg")
[ -f "$pack/images.zip" ] && files+=(--images "$pack/images.zip")
if [ -n "${TESTS:-}" ]; then
  timeout 60 "$env/bin/python" -m pytest -q -p no:cacheprovider -o filterwarnings=default --timeout 50 $TESTS 2>&1 |
    tail -30 | tee -a "$out/log.txt"
fi
seconds=$((seconds - $(date +%s) + began))
exec "$env/bin/python" -m benchmarks.gpu "$@" --out "$out" --work "${WORK:-/tmp/gpu-work}" --seconds "$seconds" "${files[@]}" ${SMALL:+--small}
