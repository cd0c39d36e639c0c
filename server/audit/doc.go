// Package audit keeps a log of who asked for what and what came of it: lines of JSON, each an audit.k8s.io/v1 Event, as
// much of each request as a policy says (https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/).
//
//	log, err := audit.Open(audit.Config{Path: path, PolicyFile: file}, registry)
//	go log.Run(ctx)
//	rule := log.Rule(user, attributes)
//	if rule.Level != auditv1.LevelNone {
//		log.Record(audit.Entry{Event: event})
//	}
//
// Recording never waits for the disk: entries go through a buffer of bounded length and size, and one that finds it full
// is lost, which apiserver_audit_error_total counts and the log of the server tells.
package audit
