// Package probe runs a container's startup, liveness and readiness probes as the kubelet does.
//
// [Check] asks once. [Prober] asks again and again with the probe's delays and thresholds and reports each change
// of the result; it is one goroutine, which ends with its context:
//
//	p := probe.Prober{Kind: probe.Readiness, Spec: c.ReadinessProbe, Target: target, Report: report}
//	go p.Run(ctx)
package probe
