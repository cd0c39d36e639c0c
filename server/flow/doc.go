// Package flow decides when a request is served: API priority and fairness, with the priority levels and flow schemas
// that a Kubernetes cluster starts with (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/).
//
// A request's schema (schemas) names its level and its flow: mostly its user. Each level has a share of the server's
// seats (levels). What a level does not lend is kept free for it, so tenants never starve nodes and leader elections;
// the rest goes to whoever asks, the level that has least of its share first. Within a level flows take turns by the
// work that they have had, so one user's flood is behind the others' few requests. Who must wait waits in a queue of
// bounded length.
//
//	c, err := flow.New(flow.Config{Seats: 600})
//	done, err := c.Enter(ctx, flow.Request{User: user, Attributes: attributes, Seats: 1})
//	if err != nil { … 429 … }
//	defer done()
package flow
