// Package event records Events: what the controllers and the scheduler have to say about an object, as
// `kubectl describe` shows it. Saying something never waits and never fails: events are best effort, while
// repeated ones are counted in one object, and their rate is bounded so that they cannot crowd out the work
// that they tell of.
//
//	recorder := event.NewRecorder(sink, identity) // one a process, with its Run beside the components'
//	say := recorder.From("deployment-controller")
//	say.Normal(deployment, "ScalingReplicaSet", "Scaled up replica set %s from 0 to %d", name, n)
package event
