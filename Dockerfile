# syntax=docker/dockerfile:1

FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin rollcall \
    && cp target/release/rollcall /rollcall

FROM debian:bookworm-slim
# redis-server serves where no ROLLCALL_REDIS_URL is given.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 rollcall \
    && install -d -o rollcall -m 700 /data
COPY --from=build /rollcall /usr/local/bin/rollcall
USER rollcall
WORKDIR /data
VOLUME /data
ENV ROLLCALL_LISTEN=0.0.0.0:8080 ROLLCALL_DATA_DIR=/data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["rollcall"]
CMD ["serve"]
