#!/usr/bin/env bash
# The one step of the action: installs datumctl for this job alone, and signs the job in where it was asked to.
#
# All of it lies in the runner's temporary folder, which goes with the job; later steps find the program on their PATH
# and the session by DATUMCTL_CONFIG_DIR.
set -euo pipefail

credentials=${INPUT_CREDENTIALS:-}
# No program that is started below finds the key in its environment.
unset INPUT_CREDENTIALS

if [ -n "$credentials" ] && [ -n "${INPUT_AUDIENCE:-}" ]; then
  echo "::error::Give either credentials or audience: they are two ways to sign in."
  exit 1
fi
read -ra flags <<<"${INPUT_LOGIN_FLAGS:-}"

folder=$RUNNER_TEMP/datumctl
export PREFIX=$folder DATUMCTL_CONFIG_DIR=$folder/config
installers=$(dirname "$0")/../../scripts/install
case ${RUNNER_OS:-Linux} in
  Windows)
    pwsh -NoProfile -File "$installers/install.ps1"
    program=$folder/bin/datumctl.exe
    ;;
  *)
    sh "$installers/install.sh"
    program=$folder/bin/datumctl
    ;;
esac

if [ -n "$credentials" ]; then
  printf '%s' "$credentials" | "$program" login --credentials - "${flags[@]}"
elif [ -n "${INPUT_AUDIENCE:-}" ]; then
  "$program" login --workload github --audience "$INPUT_AUDIENCE" "${flags[@]}"
fi

echo "$folder/bin" >>"$GITHUB_PATH"
echo "DATUMCTL_CONFIG_DIR=$DATUMCTL_CONFIG_DIR" >>"$GITHUB_ENV"
echo "path=$program" >>"$GITHUB_OUTPUT"
