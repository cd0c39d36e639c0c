// Package simulated is a cluster's nodes without machines: thousands of agents in one process that speak the agent's
// whole protocol over the API. Each registers its node and keeps its lease, follows its Node and the pods that are bound
// to it, and reports what becomes of these: containers that are being made, run, get ready, end, crash and are started
// again, and pods that are deleted once their containers have ended.
//
//	fleet, err := simulated.New(simulated.Config{REST: config, Nodes: 5000, Seed: 1})
//	go fleet.Run(ctx)
//	err = fleet.Registered(ctx)
//
// What they do not have is the agent's own API: the server that asks one of them for logs or usage is refused.
//
// All agents share the connections of one client: an administrator's, who acts as the nodes by impersonation, so that
// what a node may do is what the server lets it do. How long everything takes, and what goes wrong, comes from the seed
// and the pods' names alone.
package simulated
