package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"leme/server/audit"
)

// audited gives a bed an audit log; what it returns ends the log and reads it.
func audited(t *testing.T, b *bed, policy string) func() []auditv1.Event {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(file, []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\n"+policy), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(audit.Config{Path: filepath.Join(dir, "audit.log"), PolicyFile: file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.auditLog = log
	b.chain()
	return func() []auditv1.Event {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := log.Run(ctx); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "audit.log"))
		if err != nil {
			t.Fatal(err)
		}
		var events []auditv1.Event
		for line := range bytes.Lines(raw) {
			var e auditv1.Event
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			events = append(events, e)
		}
		return events
	}
}

// TestAudit is a table of requests, and what the log has of each.
func TestAudit(t *testing.T) {
	const pods = "/api/v1/namespaces/default/pods"
	const everything = "omitManagedFields: true\nrules: [{level: RequestResponse}]"
	for _, tt := range []struct {
		name, policy, request, body string
		headers                     []string
		want                        []string // of each event, a part of it as JSON
		never                       string
	}{
		{"create", everything, "POST " + pods, podJSON("one"), []string{"Audit-ID: mine"}, []string{
			`"auditID":"mine","stage":"RequestReceived","requestURI":"` + pods + `","verb":"create","user":{"username":"admin",`,
			`"objectRef":{"resource":"pods","namespace":"default","name":"one","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},"requestObject":{"kind":"Pod"`,
		}, "managedFields"},
		{"response", everything, "POST " + pods, podJSON("two"), nil, []string{"", `"responseObject":{"apiVersion":"v1","kind":"Pod"`}, "managedFields"},
		{"decision", everything, "GET " + pods, "", nil, []string{"", `"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":`}, ""},
		{"forbidden", everything, "GET " + pods, "", []string{"X-User: jane", "X-Group: staff"}, []string{"", `"authorization.k8s.io/decision":"forbid"`}, ""},
		{"status", everything, "GET " + pods + "/none", "", nil, []string{"", `"responseStatus":{"metadata":{},"status":"Failure","message":"pods \"none\" not found","reason":"NotFound","details":{"name":"none","kind":"pods"},"code":404}`}, ""},
		{"as another", everything, "GET " + pods, "", []string{"Impersonate-User: jane"}, []string{"", `"impersonatedUser":{"username":"jane","groups":["system:authenticated"]}`}, ""},
		{"bad credentials", everything, "GET " + pods, "", []string{"X-User: mallory"}, []string{`"stage":"ResponseStarted"`}, ""},
		{"metadata", "rules: [{level: Metadata, omitStages: [RequestReceived]}]", "POST " + pods, podJSON("three"), nil, []string{`"level":"Metadata"`}, "Object"},
		{"request", "rules: [{level: Request, omitStages: [RequestReceived]}]", "POST " + pods, podJSON("four"), nil, []string{`"requestObject"`}, "responseObject"},
		{"nothing", "rules: [{level: None}]", "GET " + pods, "", nil, nil, ""},
		{"apply", "rules: [{level: Request, omitStages: [RequestReceived]}]", "PATCH /api/v1/namespaces/default/configmaps/c?fieldManager=m", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
			[]string{"Content-Type: application/apply-patch+yaml"}, []string{`"requestObject":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}`}, ""},
		{"no object", "rules: [{level: Request, omitStages: [RequestReceived]}]", "POST " + pods, "{", nil, []string{`"code":400`}, "requestObject"},
		{"watch", "rules: [{level: Metadata, omitStages: [RequestReceived]}]", "GET " + pods + "?watch=1&timeoutSeconds=1", "", nil, []string{`"stage":"ResponseStarted"`, `"stage":"ResponseComplete"`}, ""},
		{"panic", "rules: [{level: Metadata, omitStages: [RequestReceived]}]", "GET /panic", "", nil, []string{`"stage":"Panic"`}, ""},
		{"address", "rules: [{level: Metadata, omitStages: [RequestReceived]}]", "GET /version", "", []string{"X-Forwarded-For: 192.0.2.7"}, []string{`"sourceIPs":["192.0.2.7","127.0.0.1"]`}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, &tls.Config{})
			b.fixed.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("oh") })
			read := audited(t, b, tt.policy)
			_, header, _ := b.do(t, tt.request, tt.body, tt.headers...)
			events := read()
			if len(events) != len(tt.want) {
				t.Fatalf("%d events: %+v", len(events), events)
			}
			for i, e := range events {
				raw, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(raw), tt.want[i]) || tt.never != "" && strings.Contains(string(raw), tt.never) {
					t.Errorf("event %d is %s\nwant %s and no %q", i, raw, tt.want[i], tt.never)
				}
				if header.Get("Audit-ID") != string(e.AuditID) {
					t.Errorf("the client was told %q, the log %q", header.Get("Audit-ID"), e.AuditID)
				}
			}
		})
	}
}

// TestAuditOfPodSecurity: what the namespace's audit level finds is in the log, and refuses nothing.
func TestAuditOfPodSecurity(t *testing.T) {
	b := newBed(t, &tls.Config{})
	if code, _, body := b.do(t, "PATCH /api/v1/namespaces/default", `{"metadata":{"labels":{"pod-security.kubernetes.io/audit":"restricted"}}}`, "Content-Type: application/merge-patch+json"); code != 200 {
		t.Fatal(body)
	}
	read := audited(t, b, "rules: [{level: Metadata, omitStages: [RequestReceived]}]")
	if code, _, body := b.do(t, "POST /api/v1/namespaces/default/pods", podJSON("one")); code != http.StatusCreated {
		t.Fatal(body)
	}
	for _, e := range read() {
		if !strings.HasPrefix(e.Annotations["pod-security.kubernetes.io/audit-violations"], `would violate PodSecurity "restricted:latest": `) ||
			e.Annotations["pod-security.kubernetes.io/enforce-policy"] != "privileged:latest" {
			t.Errorf("annotations %v", e.Annotations)
		}
	}
}
