// Package usage knows what nodes and pods use: it asks the nodes' agents again and again, and makes the objects of
// metrics.k8s.io of the differences between what they said last and before.
//
//	c := usage.New(usage.DefaultResolution, metrics)
//	api := resource.New(store, kinds, resource.WithMaker(c.Make))
//	err := c.Run(ctx, nodes, handler)
//
// Each server asks all agents by itself, as replicas of metrics-server do: any of them answers from its own memory, and
// who begins to lead knows already what its autoscaler needs. An answer costs an agent next to nothing, as whoever asks
// shares what it has measured.
//
// Kept are two points for each container, so memory follows the number of running pods. Nothing is stored.
package usage
