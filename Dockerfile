# Memoir as a container image; docs/docker.md describes it. Build the command first, then the image:
#
#   npm ci && docker build -t memoir .
#
# The base image needs Node.js 20.19 or newer with npm, and bash for tasks and models:
#
#   docker build --build-arg BASE=registry.example.org/node:22 -t memoir .
ARG BASE=docker.io/library/node:22-bookworm-slim

FROM ${BASE} AS package
WORKDIR /opt/memoir
COPY package.json package-lock.json LICENSE README.md ./
COPY node_modules node_modules
COPY dist dist
RUN ["npm", "prune", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
RUN ["mkdir", "-p", "/var/lib/memoir"]

FROM ${BASE}
# A user without rights on the host. Results, models and the ledger are kept in the volume.
ARG UID=1000
COPY --from=package /opt/memoir /opt/memoir
COPY --from=package --chown=${UID}:${UID} /var/lib/memoir /var/lib/memoir
# The command on PATH, for jobs and for images that are built on this one.
RUN ["node", "-e", "fs.mkdirSync('/usr/local/bin', { recursive: true }); fs.symlinkSync('/opt/memoir/dist/memoir.js', '/usr/local/bin/memoir')"]
ENV MEMOIR_HOME=/var/lib/memoir HOME=/var/lib/memoir
USER ${UID}:${UID}
WORKDIR /var/lib/memoir
VOLUME /var/lib/memoir
EXPOSE 8080
ENTRYPOINT ["node", "/opt/memoir/dist/memoir.js"]
# On addresses other than loopback the server requires access keys: mount a file at /etc/memoir/keys.json.
CMD ["server", "--host", "0.0.0.0", "--port", "8080", "--access-keys", "/etc/memoir/keys.json", "--executor", "host"]
