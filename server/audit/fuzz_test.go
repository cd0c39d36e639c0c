package audit

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzPolicy: a policy is read or refused.
func FuzzPolicy(f *testing.F) {
	f.Add(defaultPolicy)
	f.Add([]byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, resources: [{resources: ['*/']}]}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if p, err := parsePolicy(raw); err == nil && len(p.Rules) == 0 {
			t.Error("it has no rules")
		}
	})
}

// FuzzLine: whatever a body is, its entry is one line of JSON.
func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"metadata":{"managedFields":[]},"items":[{"metadata":{"managedFields":1}},null]}`))
	f.Add([]byte("a: &a [1]\nb: *a"))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := entry("create", string(body))
		line, err := e.line()
		if err != nil || !json.Valid(line) || bytes.Count(line, []byte("\n")) != 1 {
			t.Errorf("%v: %q", err, line)
		}
	})
}
