// Package controller brings the cluster from what it is to what it was asked to be: ReplicaSets get their
// pods, Deployments roll out, namespaces are emptied, lost nodes are marked and left, orphans are collected.
//
// A controller is one file: sources that turn changes into keys, a pure plan(desired, observed, now) whose
// String says what will be done, and a short apply. A loop feeds keys to its workers: each key once however
// often it was named, never to two workers, again later when it failed. Adding one is adding its file and a
// line in controllers.
//
//	err := controller.Run(ctx, controller.Config{
//		API: api, CA: pki.CA(),
//		WhileLeading: []func(context.Context) error{func(ctx context.Context) error { return scheduler.Run(ctx, api, nil, nil) }},
//	})
//
// Run campaigns for the leadership in etcd, and all of this runs on the leader alone.
//
// # Reading one's own writes
//
// A write through resource returns only after this server's cache shows it. A controller that has created a
// pod therefore sees it when it next looks, and needs none of the expectations that a controller with a cache
// of its own keeps in order not to create it twice. Keys may be late or come twice; state is never old in a
// way that matters: it includes everything that this process has done.
package controller
