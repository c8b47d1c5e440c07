# The gateway as an image: the front end, the program that embeds it, and a small Debian to run in.

FROM node:22-slim AS front
WORKDIR /front
COPY static/package.json static/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY static ./
RUN npm run build

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
COPY --from=front /front/dist static/dist
# .git stays outside: what --version says of the commit comes from here.
#   docker build --build-arg COMMIT="$(git rev-parse --short=12 HEAD)" .
ARG COMMIT SOURCE_DATE_EPOCH
# Registry and target stay in the builder's cache, so a change compiles this crate and not its dependencies.
# The program is copied out, because a cache is no part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    GATEWAY_COMMIT="$COMMIT" cargo build --release --locked --bin agent-gateway \
    && install -D target/release/agent-gateway /out/agent-gateway

FROM debian:bookworm-slim
# The certificates of public authorities: for amqps://, an https key set and the auth service.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin gateway
COPY --from=build /out/agent-gateway /usr/local/bin/agent-gateway
USER 10001
EXPOSE 3012
# The gateway finishes what it has in hand on SIGTERM, within SHUTDOWN_GRACE_SECONDS.
STOPSIGNAL SIGTERM
# Bash speaks enough HTTP to ask; an image that only runs one program needs no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PORT:-3012} && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 2 status <&3 && [[ $status == 'HTTP/1.1 200 '* ]]"]
ENTRYPOINT ["agent-gateway"]
CMD ["serve"]
