// Package eviction ends pods when their node runs short of memory, disk, inodes or processes, and pods that take more of
// the disk than they may, by the kubelet's rules.
//
//	thresholds, err := eviction.Parse(hard, soft, grace, reclaim)
//	m := eviction.New(eviction.Config{Thresholds: thresholds, Machine: machine, Meter: meter, Pods: pods, …})
//	err = m.Run(ctx)
//
// Every few seconds the manager observes the machine. What the observations mean is decided by pure functions: which
// thresholds are crossed and for how long ([state]), which pod has to go first (rank.go), what is said of it (message.go).
// Before a pod is ended for want of disk, what nobody needs is removed. One pod is ended at a time: the next only when
// nothing of it is left, and the node still runs short.
package eviction
