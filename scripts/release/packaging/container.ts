/** The recipe of the container image. */

import { comments, DESCRIPTION, HOMEPAGE, LICENCE, NAME, type Released } from "../table.ts";

/**
 * `Containerfile`. It is built in the folder of the release, for both machines:
 * `buildah build --platform linux/amd64,linux/arm64 --file packaging/oci/Containerfile .`
 */
export function containerfile(release: Released): string {
  const label = (key: string, value: string) => `      org.opencontainers.image.${key}="${value}"`;
  return `${comments(release, "# ")}# Built in the folder of the release:
#   buildah build --platform linux/amd64,linux/arm64 --file packaging/oci/Containerfile .

FROM scratch AS unpacked
ARG TARGETARCH
ADD ${NAME}_${release.version}_linux_\${TARGETARCH}.tar.gz /release/

# glibc, libgcc and authorities' certificates, without a shell.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=unpacked /release/${NAME} /usr/bin/${NAME}
COPY --from=unpacked /release/LICENSE /release/THIRD-PARTY-LICENSES.txt /usr/share/doc/${NAME}/
LABEL org.opencontainers.image.title="${NAME}" \\
${
    [
      label("description", DESCRIPTION),
      label("version", release.version),
      label("revision", release.commit),
      label("source", HOMEPAGE),
      label("licenses", LICENCE),
    ].join(" \\\n")
  }
USER 65532:65532
ENTRYPOINT ["/usr/bin/${NAME}"]
`;
}
