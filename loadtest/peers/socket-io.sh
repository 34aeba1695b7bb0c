#!/bin/sh
# Socket.IO with its Redis streams adapter: `socket-io.sh install`, or `socket-io.sh <port> <Redis' port> <directory>`
# in the foreground. POST /pub publishes; whoever connects listens.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

if [ "$1" = install ]; then
    [ -d "$here/socket-io/node_modules" ] || npm ci --silent --prefix "$here/socket-io"
    exit
fi

NODE_ENV=production exec node "$here/socket-io/server.js" "$1" "$2"
