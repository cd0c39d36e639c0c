// Package allocate decides which addresses and node ports a service gets: what it may keep of what it has, what it needs
// beside that, and in which order free ones are tried. It stores nothing: a Pool tells what is free, and whoever writes
// the service claims what it got in the same transaction.
//
//	allocate.Keep(updated, old)
//	if errs := allocate.Families(updated, old, families); len(errs) > 0 { … }
//	err := allocate.Addresses(updated, old, addresses)
//	err = allocate.NodePorts(updated, old, ports)
//
// Behaviour follows Kubernetes v1.37.
package allocate
