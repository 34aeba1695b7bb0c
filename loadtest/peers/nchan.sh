#!/bin/sh
# nginx with nchan, over Redis: `nchan.sh install`, or `nchan.sh <port> <Redis' port> <directory>` in the foreground.
# POST /pub publishes, a WebSocket at /sub listens. Everything is as it comes, but for pings like Rollcall's.
set -eu

module=/usr/lib/nginx/modules/ngx_nchan_module.so

if [ "$1" = install ]; then
    [ -e "$module" ] && exit
    root=$([ "$(id -u)" = 0 ] || echo sudo)
    $root apt-get update -qq
    $root apt-get install -y -qq nginx libnginx-mod-nchan
    exit
fi

port=$1 redis=$2 dir=$3
cat > "$dir/nginx.conf" <<END
load_module $module;
daemon off;
pid $dir/nginx.pid;
error_log $dir/error.log;
worker_processes auto;
worker_rlimit_nofile $(ulimit -Hn);
events { worker_connections 16384; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    upstream redis { nchan_redis_server redis://127.0.0.1:$redis; }
    server {
        listen 127.0.0.1:$port;
        location = /pub {
            nchan_publisher;
            nchan_channel_id class;
            nchan_redis_pass redis;
        }
        location = /sub {
            nchan_subscriber websocket;
            nchan_channel_id class;
            nchan_redis_pass redis;
            nchan_subscriber_first_message newest;
            nchan_websocket_ping_interval 25;
        }
    }
}
END
exec nginx -p "$dir" -c "$dir/nginx.conf"
