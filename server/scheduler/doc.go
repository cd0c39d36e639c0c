// Package scheduler decides on which node each pod runs, and tells why it cannot run on the others.
//
// The decision is pure: a cluster holds what is on every node, kept up to date change by change; filters, an
// ordered table, say where a pod can run; scores, another, say where it does best. Around it, Run feeds the
// cluster and the queue from changes, takes the pods in order of priority and age, and writes the bindings many
// at a time.
//
// A pod that has been placed counts on its node at once, before the binding is written, so that the next pod
// is placed without waiting for it; a binding that fails is taken back.
package scheduler
