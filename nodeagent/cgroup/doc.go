// Package cgroup reads what the processes of a control group have used, from the kernel's own files: of version 1, with
// a hierarchy for each controller, and of version 2, with one for all.
//
//	host := cgroup.Host{}
//	group, err := host.Of(pid)
//	used, err := group.Read()
package cgroup
