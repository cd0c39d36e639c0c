// Package speed compares Leme's API with kube-apiserver's, side by side in one run. Both serve on the loopback, with
// TLS and client certificates of one authority, over etcd of one version. Leme is there twice: as it is shipped, with
// etcd in its process, and over an etcd in a process of its own, as kube-apiserver has it.
//
// The peers are built once from their own module, test/bench, into .cache/bench. Where they cannot be built, Leme's
// figures are shown alone.
//
//	go test ./test/speed -run '^$' -bench . -benchtime 1x
//
// Where events go to watchers there is one more, which only encrypts and writes: nobody can be faster over TLS.
//
// The servers take turns, round by round, so that what else the machine does meets all alike; medians of the rounds are
// reported. Beside the time on the clock, which client and servers share the processors for, stands the processor's
// time that the server itself used.
package speed
