// Package quota does the sums of resource quotas: what an object takes of one, whether that still fits, and how much
// all that there is takes together. It reads and writes nothing.
//
//	used, err := quota.Charge(q, gr, pod, now) // before the pod is made
//	used := quota.Total(q, objects, now)       // from time to time
package quota
