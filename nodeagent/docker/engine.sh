#!/bin/sh
# Finds a Docker Engine that answers; where there is none, installs and starts one (root on Debian or
# Ubuntu), and elsewhere says what to install. A docker client on the PATH does not mean an engine.
set -eu

socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
wait_seconds=60

say() { printf '%s\n' "$*" >&2; }

# answers asks the engine itself, with nothing but a shell and what the system has.
answers() {
	case $socket in
	unix://*)
		[ -S "${socket#unix://}" ] || return 1
		if command -v curl >/dev/null; then
			curl -fsS -m 3 --unix-socket "${socket#unix://}" http://docker/_ping >/dev/null 2>&1
		else
			docker -H "$socket" version >/dev/null 2>&1
		fi
		;;
	*) docker version >/dev/null 2>&1 ;;
	esac
}

await() {
	i=0
	while ! answers; do
		i=$((i + 1))
		if [ "$i" -gt $((wait_seconds * 5)) ]; then
			say "error: the Docker Engine does not answer at $socket after $wait_seconds s; see $1"
			exit 1
		fi
		sleep 0.2
	done
}

install_engine() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "error: no Docker Engine answers at $socket; install Docker Engine 20.10 or newer, start it, and try again"
		exit 1
	fi
	say "No Docker Engine here: installing docker.io (Debian's package) ..."
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	if ! { apt-get update && apt-get install -y --no-install-recommends docker.io iptables ca-certificates; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		say "error: docker.io could not be installed (the whole output is in $log)"
		exit 1
	fi
	rm -f "$log"
}

start_engine() {
	if [ -d /run/systemd/system ]; then
		say "Starting the Docker Engine through systemd ..."
		systemctl start docker
		await "journalctl -u docker"
		return
	fi
	log=/var/log/leme-dockerd.log
	say "Starting the Docker Engine (its log is $log) ..."
	# A machine that went down hard leaves pid files behind, which stop a new engine from starting.
	pgrep -x dockerd >/dev/null || rm -f /var/run/docker.pid /run/docker/containerd/containerd.pid
	setsid dockerd --live-restore >"$log" 2>&1 </dev/null &
	await "$log"
}

answers && exit 0
if pgrep -x dockerd >/dev/null; then
	say "Waiting for the Docker Engine ..."
	await "its log"
	exit 0
fi
command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || install_engine
PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" != 0 ]; then
	say "error: the Docker Engine is installed but does not run; start it (sudo systemctl start docker) and try again"
	exit 1
fi
start_engine
