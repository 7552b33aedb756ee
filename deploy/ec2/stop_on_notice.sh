#!/bin/sh
# Stops Imagemill when the metadata service announces the end of this spot instance, two minutes before. The workers give
# their tasks back, and the queue and the store are closed properly. The host is one hop away, so any hop limit will do.
set -eu
metadata=${METADATA:-http://169.254.169.254}/latest

token=$(curl -sSf --max-time 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token")
status=$(curl -sS --max-time 2 -o /dev/null -w '%{http_code}' \
    -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/spot/instance-action")

case $status in
    404) ;;
    200)
        echo "Amazon takes this instance back: Imagemill is being stopped"
        systemctl stop imagemill.service
        ;;
    *)
        echo "the metadata service answered $status; 200 or 404 was expected" >&2
        exit 1
        ;;
esac
