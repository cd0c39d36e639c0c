package command

import "github.com/spf13/pflag"

// AuditOptions say where the server's audit log goes and what it holds.
type AuditOptions struct {
	Path       string
	PolicyFile string
	MaxSize    int // megabytes
	MaxBackups int
	MaxAge     int // days
	Compress   bool
	Buffer     int // entries
}

func (o *AuditOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Path, "audit-log-path", "", "Keep an audit log in this file; - is standard output.")
	flags.StringVar(&o.PolicyFile, "audit-policy-file", "", "Policy (audit.k8s.io/v1) that says what is recorded (default: who changed what, and no secrets).")
	flags.IntVar(&o.MaxSize, "audit-log-maxsize", 100, "Megabytes of the audit log before it is rotated.")
	flags.IntVar(&o.MaxBackups, "audit-log-maxbackup", 10, "Rotated audit logs to keep; 0 is all.")
	flags.IntVar(&o.MaxAge, "audit-log-maxage", 0, "Days to keep rotated audit logs; 0 is for good.")
	flags.BoolVar(&o.Compress, "audit-log-compress", false, "Compress rotated audit logs with gzip.")
	flags.IntVar(&o.Buffer, "audit-log-batch-buffer-size", 10_000, "Audit events that may wait to be written; more are lost, and counted.")
}
