#!/bin/sh
# What `make up` does once there is an engine and a binary: a cluster, an image in its own registry, a
# Deployment of it, and the shell. Running it again is harmless.
set -eu
cd "$(dirname "$0")/../.."
leme=bin/leme
if [ "$(id -u)" = 0 ]; then : "${LEME_HOME:=/var/lib/leme}"; else : "${LEME_HOME:=$HOME/.local/share/leme}"; fi
export LEME_HOME KUBECONFIG="$LEME_HOME/kubeconfig" # whatever cluster the user's own settings name

# shellcheck disable=SC2086
$leme up --detach ${UP_FLAGS:-}

echo "Making the image hello:1.0 and pushing it to the cluster's registry"
go run ./docs/examples/hello/image -o bin/hello.tar
$leme image push bin/hello.tar hello:1.0

$leme apply -f docs/examples/hello.yaml
$leme rollout status deployment/hello --timeout=2m

echo
$leme cluster-info
echo
$leme get pods -o wide
cat <<NEXT

What to type next, in the shell (bin/leme), or behind bin/leme here:
  describe pod hel<Tab>             everything about a pod, and its events
  logs deploy/hello -f              what it prints; Ctrl-C ends it
  scale deploy/hello --replicas=5   five of them
  exec -it deploy/hello -- /hello --help
  help                              all the rest
kubectl works too: export KUBECONFIG=$KUBECONFIG
NEXT
if [ -t 0 ] && [ -t 1 ]; then
	exec $leme
fi
