// Command etcd is etcd of the version that Leme embeds, as a process of its own: kube-apiserver's store in the server's
// benchmarks, and Leme's where the two are to have the same.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
