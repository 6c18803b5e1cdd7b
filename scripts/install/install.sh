#!/bin/sh
# Installs datumctl for the person who runs it, or takes it away again with --uninstall.
#
#   curl -fsSL ADDRESS/install.sh | sh
#   VERSION=0.1.0 PREFIX="$HOME/tools" sh install.sh
#
# VERSION    which release; the newest when not set
# PREFIX     where to: programs in PREFIX/bin, the rest in PREFIX/share; ~/.local when not set
# BASE_URL   where releases are served, as REPOSITORY/releases
#
# Nothing is installed before its SHA-256 was checked and the program was seen to start; sudo is never called.

set -eu
umask 022

REPOSITORY=datumctl/datumctl

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

usage() {
  cat <<'TEXT'
Usage: install.sh [--uninstall]

Installs datumctl into ~/.local, for you alone.

Variables:
  VERSION    which release (default: the newest)
  PREFIX     where to: PREFIX/bin and PREFIX/share (default: ~/.local)
  BASE_URL   where releases are served (https only, http on this machine itself)
TEXT
}

# --- which release ---------------------------------------------------------------------------------------------------

# Sets `system` and `machine` to the names that the archives carry.
know_machine() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    MINGW* | MSYS* | CYGWIN*) fail "This is Windows: use install.ps1 in PowerShell." ;;
    *) fail "There is no datumctl for $(uname -s)." ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "There is no datumctl for $(uname -m) machines, only for x86_64 and arm64." ;;
  esac
  # A shell that Rosetta translates says x86_64 on a machine that is arm64.
  if [ "$system" = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ]; then
    machine=arm64
  fi
  if [ "$system" = linux ]; then need_glibc; fi
}

need_glibc() {
  case $machine in
    amd64) loader=/lib64/ld-linux-x86-64.so.2 ;;
    arm64) loader=/lib/ld-linux-aarch64.so.1 ;;
  esac
  if [ -e "$loader" ]; then return; fi
  for musl in /lib/ld-musl-*; do
    if [ -e "$musl" ]; then
      fail "datumctl needs glibc, and this system has musl (${musl##*/})." \
        "Use it in a glibc system instead, such as a Debian container."
    fi
  done
  fail "datumctl needs glibc, whose loader $loader is not on this system."
}

is_loopback() {
  case ${1#http://} in
    localhost | localhost[:/]* | 127.0.0.1 | 127.0.0.1[:/]* | '[::1]' | '[::1]'[:/]*) return 0 ;;
  esac
  return 1
}

check_address() {
  case $1 in
    https://*) return ;;
    http://*) if is_loopback "$1"; then return; fi ;;
  esac
  fail "BASE_URL must begin with https:// (http:// is for this machine itself): $1"
}

# --- fetching --------------------------------------------------------------------------------------------------------

choose_fetcher() {
  if has curl; then
    fetcher=curl
  elif has wget && wget --version 2>&1 | grep -q 'GNU Wget'; then
    fetcher=wget
  elif has wget && is_loopback "$base"; then
    fetcher=plain-wget
  elif has wget; then
    fail "This wget is not GNU's and does not check certificates. Install curl, or GNU wget, and run this again."
  else
    fail "Neither curl nor wget is here. Install curl, and run this again."
  fi
}

# fetch ADDRESS FILE: over HTTPS alone, redirects included.
fetch() {
  case $fetcher in
    curl)
      protocols='=https'
      if is_loopback "$1"; then protocols='=http,https'; fi
      curl --fail --silent --show-error --location --retry 2 --connect-timeout 20 \
        --proto "$protocols" --proto-redir '=https' --tlsv1.2 --output "$2" -- "$1"
      ;;
    wget) fetch_by_wget "$1" "$2" ;;
    plain-wget) wget -q -O "$2" "$1" ;;
  esac
}

# GNU wget would follow a redirect to plain http, so each one is looked at here.
fetch_by_wget() {
  address=$1
  for _ in 1 2 3 4 5 6; do
    if wget --quiet --server-response --max-redirect=0 --tries=2 --timeout=60 \
      --output-document="$2" -- "$address" 2>"$stage/answer"; then return 0; fi
    next=$(sed -n 's/^ *[Ll]ocation: *\([^ ]*\).*$/\1/p' "$stage/answer" | tr -d '\r' | tail -n 1)
    case $next in
      https://*) address=$next ;;
      *)
        sed -n '/^ *HTTP\//p; /^wget:/p' "$stage/answer" | tail -n 1 >&2
        return 1
        ;;
    esac
  done
  return 1
}

sum_of() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    fail "No program here computes SHA-256 (sha256sum, shasum or openssl), so nothing can be checked."
  fi
}

# --- installing ------------------------------------------------------------------------------------------------------

# Everything is made ready in a folder on the file system that it is moved to, which goes whatever happens.
make_stage() {
  mkdir -p "$prefix/bin" 2>/dev/null || fail "Cannot make the folder $prefix/bin." \
    "Set PREFIX to a folder that is yours, as in PREFIX=\"\$HOME/tools\"."
  stage=$(mktemp -d "$prefix/bin/.datumctl-install.XXXXXX" 2>/dev/null) ||
    fail "Cannot write into $prefix/bin." "Set PREFIX to a folder that is yours, as in PREFIX=\"\$HOME/tools\"."
  trap 'rm -rf "$stage"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# Sets `version`, `archive` and `expected` from the list of sums, whose file names hold the version.
know_release() {
  if [ -n "${VERSION:-}" ]; then
    sums="$base/download/v${VERSION#v}/checksums.txt"
  else
    sums="$base/latest/download/checksums.txt"
  fi
  fetch "$sums" "$stage/checksums.txt" || fail "Cannot fetch the list of sums: $sums" \
    "Is there a network here, and is it the right VERSION and BASE_URL?"
  line=$(grep -E "^[0-9a-f]{64} [ *]datumctl_[0-9A-Za-z.+-]+_${system}_${machine}\.tar\.gz\$" "$stage/checksums.txt" |
    head -n 1) || :
  if [ -z "$line" ]; then fail "The release has no archive for $system on $machine: $sums"; fi
  expected=${line%% *}
  archive=${line##*[ *]}
  version=${archive#datumctl_}
  version=${version%"_${system}_${machine}.tar.gz"}
  if [ -n "${VERSION:-}" ] && [ "$version" != "${VERSION#v}" ]; then
    fail "The list of sums is of another release: $version instead of ${VERSION#v} ($sums)"
  fi
}

fetch_archive() {
  address="$base/download/v$version/$archive"
  say "Fetching datumctl $version for $system on $machine"
  fetch "$address" "$stage/$archive" || fail "Cannot fetch $address" "Nothing was installed."
  found=$(sum_of "$stage/$archive")
  if [ "$found" != "$expected" ]; then
    fail "$archive is not the file that was published: its SHA-256 is another one." \
      "expected $expected" "received $found" "Nothing was installed. Try again; if it stays, tell the publishers."
  fi
  check_attestation
}

# Where GitHub's program is set up, it also tells whether the release's own workflow made this archive.
check_attestation() {
  if [ -n "${BASE_URL:-}" ] || ! has gh || ! gh auth status >/dev/null 2>&1; then return; fi
  gh attestation verify "$stage/$archive" --repo "$REPOSITORY" >"$stage/attestation" 2>&1 || {
    cat "$stage/attestation" >&2
    fail "$archive was not made by the workflow of $REPOSITORY, says 'gh attestation verify'." \
      "Nothing was installed."
  }
  say "Checked: built by the workflow of $REPOSITORY"
}

unpack() {
  mkdir "$stage/new"
  tar -xzf "$stage/$archive" -C "$stage/new" || fail "Cannot unpack $archive." "Nothing was installed."
  told=$("$stage/new/datumctl" version 2>&1) || fail "The program does not start on this system:" "$told" \
    "Nothing was installed."
}

# The files of an archive, and where each one goes below the prefix.
placed_files() {
  (
    cd "$stage/new"
    for page in man/*.1 man/man1/*.1; do
      if [ -f "$page" ]; then say "$page share/man/man1/${page##*/}"; fi
    done
  )
  say "completions/datumctl.bash share/bash-completion/completions/datumctl"
  say "completions/_datumctl share/zsh/site-functions/_datumctl"
  say "completions/datumctl.fish share/fish/vendor_completions.d/datumctl.fish"
  say "docker-credential-datumctl bin/docker-credential-datumctl"
  say "LICENSE share/doc/datumctl/LICENSE"
  say "THIRD-PARTY-LICENSES.txt share/doc/datumctl/THIRD-PARTY-LICENSES.txt"
  say "datumctl bin/datumctl"
}

# A file of the same name that is no datumctl of ours, such as the vendor's own, is never replaced.
check_others() {
  if [ ! -e "$prefix/bin/datumctl" ] && [ ! -L "$prefix/bin/datumctl" ]; then return; fi
  if [ -f "$receipt" ]; then return; fi
  case $("$prefix/bin/datumctl" version 2>/dev/null || :) in
    *'Deno '*) return ;;
  esac
  fail "There is another program at $prefix/bin/datumctl." "Move it away first, or set PREFIX to another folder."
}

# Moves each file to its place, the program last; each move replaces at once.
place() {
  placed_files | while read -r from to; do
    if [ -f "$stage/new/$from" ]; then say "$from $to"; fi
  done >"$stage/files"
  while read -r from to; do
    folder=$prefix/${to%/*}
    mkdir -p "$folder" 2>/dev/null || fail "Cannot make the folder $folder." "Nothing was installed."
    if [ ! -w "$folder" ]; then fail "Cannot write into $folder." "Nothing was installed."; fi
  done <"$stage/files"
  mkdir -p "${receipt%/*}" 2>/dev/null || fail "Cannot make the folder ${receipt%/*}." "Nothing was installed."
  cut -d ' ' -f 2 "$stage/files" >"$stage/receipt"
  # Files that an earlier version brought, and this one has no more, go.
  if [ -f "$receipt" ]; then
    while read -r old; do
      if ! grep -qxF "$old" "$stage/receipt"; then remove_file "$old"; fi
    done <"$receipt"
  fi
  mv -f "$stage/receipt" "$receipt"
  while read -r from to; do
    mv -f "$stage/new/$from" "$prefix/$to"
  done <"$stage/files"
}

# remove_file PATH, below the prefix; a line that leads elsewhere is none of ours.
remove_file() {
  case $1 in
    '' | /* | *..*) return ;;
  esac
  rm -f "$prefix/$1"
}

# The words that put a folder on the PATH of the person's shell.
path_line() {
  case ${SHELL:-} in
    */fish) say "fish_add_path $1" ;;
    */zsh) say "echo 'export PATH=\"$1:\$PATH\"' >>~/.zshrc && exec zsh" ;;
    */bash) say "echo 'export PATH=\"$1:\$PATH\"' >>~/.bashrc && exec bash" ;;
    *) say "export PATH=\"$1:\$PATH\"" ;;
  esac
}

tell_next() {
  say "Installed datumctl $version: $prefix/bin/datumctl"
  found=$(command -v datumctl 2>/dev/null || :)
  if [ -z "$found" ]; then
    say ""
    say "$prefix/bin is not on your PATH. Put it there:"
    say "  $(path_line "$prefix/bin")"
  elif [ "$found" != "$prefix/bin/datumctl" ]; then
    say ""
    say "Another datumctl comes first on your PATH: $found"
    say "Remove it, or put this one first:"
    say "  $(path_line "$prefix/bin")"
  fi
  say ""
  say "Next: datumctl login"
  say "Completion: datumctl completion --help"
}

install() {
  know_machine
  check_address "$base"
  choose_fetcher
  check_others
  make_stage
  know_release
  fetch_archive
  unpack
  place
  tell_next
}

# --- uninstalling ----------------------------------------------------------------------------------------------------

uninstall() {
  if [ ! -f "$receipt" ]; then
    fail "This installer put nothing into $prefix." "Set PREFIX to the folder that it was installed into."
  fi
  while read -r old; do remove_file "$old"; done <"$receipt"
  rm -f "$receipt"
  for folder in share/datumctl share/doc/datumctl share/doc share/man/man1 share/man share/zsh/site-functions \
    share/zsh share/bash-completion/completions share/bash-completion share/fish/vendor_completions.d share/fish; do
    # A folder that holds anything else stays.
    rmdir "$prefix/$folder" 2>/dev/null || :
  done
  say "Removed datumctl from $prefix."
  say "Your sessions are still there: ${XDG_CONFIG_HOME:-$HOME/.config}/datumctl and the keyring."
  say "To end them, install datumctl again and run: datumctl logout --all"
}

main() {
  case $# in
    0) action=install ;;
    1)
      case $1 in
        --uninstall) action=uninstall ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
      esac
      ;;
    *) usage >&2 && exit 2 ;;
  esac
  if [ -z "${PREFIX:-}" ] && [ -z "${HOME:-}" ]; then fail "HOME is not set. Set PREFIX to a folder that is yours."; fi
  prefix=${PREFIX:-$HOME/.local}
  case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
  esac
  receipt=$prefix/share/datumctl/installed-files
  base=${BASE_URL:-https://github.com/$REPOSITORY/releases}
  base=${base%/}
  "$action"
}

main "$@"
