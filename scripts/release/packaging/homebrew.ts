/** The formula for a Homebrew tap. */

import { helperName } from "../helper.ts";
import {
  archiveOf,
  comments,
  DESCRIPTION,
  HOMEPAGE,
  LICENCE,
  NAME,
  type Platform,
  type Released,
} from "../table.ts";

/** `Formula/datumctl.rb`. */
export function formula(release: Released): string {
  return `# typed: false
# frozen_string_literal: true

${comments(release, "# ")}class Datumctl < Formula
  desc "${DESCRIPTION}"
  homepage "${HOMEPAGE}"
  version "${release.version}"
  license "${LICENCE}"

${system(release, "darwin", "on_macos")}
${system(release, "linux", "on_linux")}
  # Homebrew changes no file below a folder that it does not clean.
  skip_clean "bin"

  def install
    bin.install "${NAME}", "${helperName("darwin")}"
    doc.install "THIRD-PARTY-LICENSES.txt"
${besideProgram(release)}  end

  test do
    assert_match version.to_s, shell_output("#{bin}/${NAME} version")
    assert_match "Unknown command", shell_output("#{bin}/${NAME} no-such-command 2>&1", 2)
  end
end
`;
}

function system(release: Released, os: Platform["os"], block: string): string {
  const machine = (arch: Platform["arch"], name: string) => {
    const { url, sha256 } = archiveOf(release, os, arch);
    return `    ${name} do
      url "${url}"
      sha256 "${sha256}"
    end
`;
  };
  return `  ${block} do
${machine("arm64", "on_arm")}${machine("amd64", "on_intel")}  end
`;
}

function besideProgram({ completions, manPages }: Released): string {
  return (completions
    ? `    bash_completion.install "completions/${NAME}.bash" => "${NAME}"
    zsh_completion.install "completions/_${NAME}"
    fish_completion.install "completions/${NAME}.fish"
`
    : "") + (manPages ? `    man1.install Dir["man/*.1"]\n` : "");
}
