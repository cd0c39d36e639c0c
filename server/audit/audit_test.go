package audit

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"leme/server/auth"
)

func TestRules(t *testing.T) {
	get := func(resource, subresource string) auth.Attributes {
		return auth.Attributes{Verb: "get", Resource: resource, Subresource: subresource, Namespace: "a", Name: "n"}
	}
	path := func(path string) auth.Attributes { return auth.Attributes{Verb: "get", Path: path} }
	pods := auditv1.GroupResources{Resources: []string{"pods"}}
	for _, tt := range []struct {
		name string
		rule auditv1.PolicyRule
		a    auth.Attributes
		want bool
	}{
		{"anything", auditv1.PolicyRule{}, get("pods", ""), true},
		{"user", auditv1.PolicyRule{Users: []string{"jane"}}, get("pods", ""), true},
		{"another user", auditv1.PolicyRule{Users: []string{"joe"}}, get("pods", ""), false},
		{"group", auditv1.PolicyRule{UserGroups: []string{"x", "staff"}}, get("pods", ""), true},
		{"another group", auditv1.PolicyRule{UserGroups: []string{"x"}}, get("pods", ""), false},
		{"verb", auditv1.PolicyRule{Verbs: []string{"list"}}, get("pods", ""), false},
		{"namespace", auditv1.PolicyRule{Namespaces: []string{"b", "a"}}, get("pods", ""), true},
		{"another namespace", auditv1.PolicyRule{Namespaces: []string{""}}, get("pods", ""), false},
		{"a path has no namespace", auditv1.PolicyRule{Namespaces: []string{""}}, path("/x"), false},
		{"resource", auditv1.PolicyRule{Resources: []auditv1.GroupResources{pods}}, get("pods", ""), true},
		{"resource, not its subresource", auditv1.PolicyRule{Resources: []auditv1.GroupResources{pods}}, get("pods", "log"), false},
		{"whole group", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{}}}, get("pods", "log"), true},
		{"another group's", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Group: "apps"}}}, get("pods", ""), false},
		{"subresource", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"pods/log"}}}}, get("pods", "log"), true},
		{"subresource of any", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"*/log"}}}}, get("pods", "log"), true},
		{"any of those, not itself", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"*/log"}}}}, get("pods", ""), false},
		{"itself and below", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"pods/*"}}}}, get("pods", ""), true},
		{"everything", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"*"}}}}, get("pods", "log"), true},
		{"name", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"pods"}, ResourceNames: []string{"n"}}}}, get("pods", ""), true},
		{"another name", auditv1.PolicyRule{Resources: []auditv1.GroupResources{{Resources: []string{"pods"}, ResourceNames: []string{"m"}}}}, get("pods", ""), false},
		{"path", auditv1.PolicyRule{NonResourceURLs: []string{"/healthz"}}, path("/healthz"), true},
		{"path below", auditv1.PolicyRule{NonResourceURLs: []string{"/api*"}}, path("/apis/apps"), true},
		{"any path", auditv1.PolicyRule{NonResourceURLs: []string{"*"}}, path("/x"), true},
		{"a resource is no path", auditv1.PolicyRule{NonResourceURLs: []string{"*"}}, get("pods", ""), false},
	} {
		jane := auth.User{Name: "jane", Groups: []string{"staff"}}
		if got := matches(&tt.rule, jane, tt.a); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestPolicies(t *testing.T) {
	const head = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
	for policy, want := range map[string]string{
		head + "rules: [{level: Metadata}]":                                                          "",
		head + "rules: []":                                                                           "no rules",
		"apiVersion: v1\nkind: Policy\nrules: [{level: None}]":                                       "a Policy of v1",
		head + "rules: [{level: Everything}]":                                                        "Unsupported value",
		head + "rules: [{lewel: None}]":                                                              "unknown field",
		head + "rules: [{level: None, nonResourceURLs: [a]}]":                                        "must begin with",
		head + "rules: [{level: None, resources: [{resourceNames: [a]}]}]":                           "using resourceNames requires",
		head + "rules: [{level: None, omitStages: [Later]}]":                                         "Later",
		head + "rules: [{level: None, nonResourceURLs: [/a], namespaces: [b]}]":                      "cannot apply to both",
		head + "omitStages: [RequestReceived]\nrules: [{level: Request, omitStages: [Panic]}]\nx: 1": "unknown field",
	} {
		_, err := parsePolicy([]byte(policy))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s:\n%v, want %q", policy, err, want)
		}
	}
}

// TestDefaultPolicyKeepsSecrets: whatever is done with them, their bodies are not recorded, and those of tokens neither.
func TestDefaultPolicyKeepsSecrets(t *testing.T) {
	p, err := loadPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	admin := auth.User{Name: "admin", Groups: []string{auth.GroupMasters}}
	for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"} {
		for _, a := range []auth.Attributes{
			{Resource: "secrets"}, {Resource: "configmaps"}, {Resource: "serviceaccounts", Subresource: "token"},
			{Group: "authentication.k8s.io", Resource: "tokenreviews"},
		} {
			a.Verb = verb
			if rule := evaluate(p, admin, a); rule.Level != auditv1.LevelMetadata {
				t.Errorf("%s of %s: %s", verb, a.Resource, rule.Level)
			}
		}
	}
	node := auth.User{Name: "system:node:n", Groups: []string{auth.GroupNodes}}
	lease := auth.Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases"}
	if rule := evaluate(p, node, lease); rule.Level != auditv1.LevelNone {
		t.Errorf("a node's lease: %s", rule.Level)
	}
	if rule := evaluate(p, admin, auth.Attributes{Verb: "create", Resource: "pods"}); rule.Level != auditv1.LevelRequest || !rule.OmitManagedFields {
		t.Errorf("a new pod: %+v", rule)
	}
}

func entry(id, request string) Entry {
	return Entry{Event: auditv1.Event{AuditID: "id-" + "x", Verb: id}, Request: []byte(request), OmitManagedFields: true}
}

func TestLines(t *testing.T) {
	for request, want := range map[string]string{
		`{"a":1}`: `{"a":1}`,
		"a: 1":    `{"a":1}`,
		"{":       "",
		`{"metadata":{"name":"n","managedFields":[{}]},"b":2}`:                `{"b":2,"metadata":{"name":"n"}}`,
		`{"items":[{"metadata":{"managedFields":[]}},{"c":"managedFields"}]}`: `{"items":[{"metadata":{}},{"c":"managedFields"}]}`,
		`[{"path":"/metadata/managedFields"}]`:                                `[{"path":"/metadata/managedFields"}]`,
	} {
		e := entry("create", request)
		line, err := e.line()
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			Kind, Verb    string
			RequestObject json.RawMessage `json:"requestObject"`
		}
		if err := json.Unmarshal(line, &event); err != nil || event.Kind != "Event" || event.Verb != "create" || string(event.RequestObject) != want {
			t.Errorf("%s became %s (%v)", request, line, err)
		}
	}
}

func TestLogIsWrittenToTheEndAndRotated(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log", "audit.log")
	l, err := Open(Config{Path: path, MaxSize: 1}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	const n, size = 12, 200_000
	for range n {
		l.Record(entry("create", `"`+strings.Repeat("x", size)+`"`))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "log", "*"))
	if err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
	lines := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(raw), "\n")
	}
	if lines != n {
		t.Errorf("%d lines of %d", lines, n)
	}
	if l.bytes.Load() != 0 {
		t.Errorf("%d bytes are counted as waiting", l.bytes.Load())
	}
}

// stuck is a disk that takes nothing.
type stuck struct{}

func (stuck) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
func (stuck) Close() error              { return nil }

func TestFullBufferLosesAndCounts(t *testing.T) {
	registry := prometheus.NewRegistry()
	l := &Log{out: stuck{}, entries: make(chan Entry, 3), metrics: newMetrics(registry)}
	for range 5 {
		l.Record(entry("create", `{}`)) // nobody writes: this must not block
	}
	l.Record(entry("create", `"`+strings.Repeat("x", bufferBytes)+`"`))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "apiserver_audit_error_total" })
	got := map[string]float64{}
	for _, m := range families[i].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	if got["buffered"] != 3 || got["log"] != 3 {
		t.Errorf("lost and failed: %v", got)
	}
}

func TestUnwritableLogIsToldAtOnce(t *testing.T) {
	if _, err := Open(Config{Path: "/proc/none/audit.log"}, nil); err == nil {
		t.Error("a log that cannot be written was opened")
	}
	if _, err := Open(Config{Path: "-", PolicyFile: "/none"}, nil); err == nil {
		t.Error("a policy that is not there was read")
	}
}
