/** The package of Arch Linux's user repository, `datumctl-bin`. */

import { helperName } from "../helper.ts";
import { archiveOf, comments, DESCRIPTION, HOMEPAGE, LICENCE, NAME, type Released } from "../table.ts";

const ARCHES = { x86_64: "amd64", aarch64: "arm64" } as const;

/** A field of the package: its name, and its value or values. */
type Field = readonly [name: string, value: string | readonly string[]];

/** `PKGBUILD`. PKGBUILD(5) */
export function pkgbuild(release: Released): string {
  const lines = fields(release).map(([name, value]) =>
    `${name}=${typeof value === "string" ? quoted(value) : `(${value.map(quoted).join(" ")})`}\n`
  );
  return `${comments(release, "# ")}${lines.join("")}
package() {
  install -Dm755 ${NAME} ${helperName("linux")} -t "$pkgdir/usr/bin"
  install -Dm644 LICENSE THIRD-PARTY-LICENSES.txt -t "$pkgdir/usr/share/licenses/$pkgname"
  install -Dm644 README.md -t "$pkgdir/usr/share/doc/$pkgname"
${besideProgram(release)}}
`;
}

/** `.SRCINFO`, which is what `makepkg --printsrcinfo` makes of the PKGBUILD. */
export function srcinfo(release: Released): string {
  const [[, name] = ["", ""], ...rest] = fields(release);
  const lines = rest.flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map((one) => `\t${key} = ${one}\n`)
  );
  return `pkgbase = ${name}\n${lines.join("")}\npkgname = ${name}\n`;
}

// In the order in which makepkg prints them.
function fields(release: Released): readonly Field[] {
  const downloads = Object.entries(ARCHES).flatMap(([machine, arch]): readonly Field[] => {
    const { url, sha256 } = archiveOf(release, "linux", arch);
    return [[`source_${machine}`, [url]], [`sha256sums_${machine}`, [sha256]]];
  });
  return [
    ["pkgname", `${NAME}-bin`],
    ["pkgdesc", DESCRIPTION],
    // A hyphen would end the version.
    ["pkgver", release.version.replaceAll("-", "")],
    ["pkgrel", "1"],
    ["url", HOMEPAGE],
    ["arch", Object.keys(ARCHES)],
    ["license", [LICENCE]],
    ["depends", ["glibc", "gcc-libs"]],
    ["optdepends", ["libsecret: keep the keys of sessions in the keyring"]],
    ["provides", [NAME]],
    ["conflicts", [NAME]],
    ["options", ["!strip", "!debug"]],
    ...downloads,
  ];
}

function quoted(text: string): string {
  return `'${text}'`;
}

function besideProgram({ completions, manPages }: Released): string {
  const share = `"$pkgdir/usr/share`;
  return (completions
    ? `  install -Dm644 completions/${NAME}.bash ${share}/bash-completion/completions/${NAME}"
  install -Dm644 completions/_${NAME} -t ${share}/zsh/site-functions"
  install -Dm644 completions/${NAME}.fish -t ${share}/fish/vendor_completions.d"
`
    : "") + (manPages ? `  install -Dm644 man/*.1 -t ${share}/man/man1"\n` : "");
}
