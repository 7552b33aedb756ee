#!/usr/bin/env bash
# Prepares an instance and starts Imagemill: cloud-init runs it as root at the first boot. It can be run again: a disk
# that has a file system, a password and keys that exist stay as they are.
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
data=/srv/imagemill
# shellcheck source=/dev/null
. /etc/imagemill/ec2.env

mount_data() {
    # The name does not depend on the order in which disks appear. Terraform attaches the disk after the boot began.
    local device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME_ID/-/} found=0
    timeout 600 sh -c "until test -b '$device'; do sleep 2; done" \
        || { echo "the disk $VOLUME_ID was not attached within 10 minutes" >&2; exit 1; }
    blkid -p "$device" > /dev/null || found=$?
    if [ "$found" = 2 ]; then mkfs.ext4 -q -L imagemill "$device"; fi
    grep -q " $data " /etc/fstab || echo "$device $data ext4 nofail,x-systemd.device-timeout=5min 0 2" >> /etc/fstab
    mkdir -p "$data"
    mountpoint -q "$data" || mount "$data"
}

make_folders() {
    # The users of the containers: 10001 of Imagemill, 999 of Redis.
    install -d -m 700 -o 10001 -g 10001 "$data/artifacts"
    install -d -m 700 -o 999 -g 1000 "$data/queue"
    install -d -m 755 "$data/checkpoints" "$data/weights" "$data/runs"
    install -d -m 700 "$data/certificates" "$data/secrets"
    # All users of containers may read the file, and only root may enter its folder.
    test -s "$data/secrets/queue_password" || (umask 022 && openssl rand -hex 32 > "$data/secrets/queue_password")
}

write_env() {
    local files=docker-compose.yml:deploy/ec2/compose.yml profiles=$PROFILE
    if [ -n "$DOMAIN" ]; then profiles=$profiles,tls; fi
    if [ -n "$BUCKET_URL" ]; then files=$files:deploy/ec2/compose.bucket.yml; fi
    (umask 077 && cat - /etc/imagemill/settings.env > "$project/.env") << END
COMPOSE_FILE=$files
COMPOSE_PROFILES=$profiles
IMAGEMILL_DOMAIN=$DOMAIN
IMAGEMILL_KEYS=/data/keys.json
IMAGEMILL_MODELS_DIR=$data/checkpoints
IMAGEMILL_WEIGHTS_DIR=$data/weights
IMAGEMILL_RUNS_DIR=$data/runs
IMAGEMILL_QUEUE_PASSWORD_FILE=$data/secrets/queue_password
BUCKET_URL=$BUCKET_URL
AWS_REGION=$AWS_REGION
END
}

make_first_key() {
    test -e "$data/artifacts/keys.json" && return
    (umask 077 && docker compose run --rm --no-deps -T api imagemill keys add first --file /data/keys.json \
        > "$data/secrets/first_key")
}

start() {
    # Without its disk, Docker would start the containers on empty folders.
    install -D -m 644 deploy/ec2/docker-needs-data.conf /etc/systemd/system/docker.service.d/imagemill.conf
    install -m 644 -t /etc/systemd/system deploy/ec2/imagemill{.service,-spot.service,-spot.timer}
    systemctl daemon-reload
    systemctl enable --now imagemill.service imagemill-spot.timer
}

mount_data
make_folders
cd "$project"
write_env
docker compose build
make_first_key
start
