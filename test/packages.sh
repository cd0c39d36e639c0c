#!/bin/sh
# Installs what the tests use and the machine may lack: shells to complete in, tmux, a browser.
set -eu

wanted=""
need() { command -v "$1" >/dev/null || wanted="$wanted $2"; }
need bash bash
need zsh zsh
need tmux tmux
need curl curl
need chromium chromium
[ -e /usr/share/bash-completion/bash_completion ] || wanted="$wanted bash-completion"
[ -z "$wanted" ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "error: the tests need these packages:$wanted" >&2
	exit 1
fi
echo "Installing for the tests:$wanted" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086
if ! { apt-get update && apt-get install -y --no-install-recommends $wanted; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "error: they could not be installed (the whole output is in $log)" >&2
	exit 1
fi
rm -f "$log"
