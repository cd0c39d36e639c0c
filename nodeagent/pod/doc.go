// Package pod runs the node's pods: it makes the engine's containers follow what the API says, and reports back.
//
// Each pod has one goroutine, which goes round and round (worker.go):
//
//  1. observe: the pod as the API has it, its containers as the engine has them, its probes' results
//  2. plan: a pure function from those to a list of actions (plan.go)
//  3. act: each action is an operation of its own, at most one a container at a time; its end is a new reason to look
//  4. report: a pure function gives the status (status.go), which goes up when it differs from what the API has
//
// Nothing is remembered that cannot be found again: attempts, hashes and pods' names are labels of the containers, so
// that an agent killed at any moment goes on where it was. What is only in memory (back-off, probes' results) may be
// lost without harm.
package pod
