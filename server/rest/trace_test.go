package rest

import (
	"crypto/tls"
	"net/http"
	"slices"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"leme/server/auth"
	"leme/server/tracing"
)

// TestTraces: a request's span has those of its work below it, continues a trusted caller's trace and only points to
// another's.
func TestTraces(t *testing.T) {
	const caller = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tt := range []struct {
		name, request, body, group string
		spans                      []string // as they end, each sort once
		continued                  bool
	}{
		{"create", "POST /api/v1/namespaces/default/configmaps", `{"metadata":{"name":"c"}}`, auth.GroupMasters,
			[]string{"admission", "etcd transaction", "create configmaps"}, true},
		{"list", "GET /api/v1/namespaces/default/configmaps", "", auth.GroupMasters, []string{"etcd consistent read", "list configmaps"}, true},
		{"watch", "GET /api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=1&resourceVersion=0", "", auth.GroupMasters, []string{"watch start", "watch configmaps"}, true},
		{"a path", "GET /version", "", auth.GroupMasters, []string{"get"}, true},
		{"not trusted", "GET /version", "", "staff", []string{"get"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, &tls.Config{})
			spans := tracetest.NewSpanRecorder()
			b.tracer = tracing.Tracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
			b.chain()
			code, _, body := b.do(t, tt.request, tt.body, "X-Group: "+tt.group, "Traceparent: 00-"+caller+"-00f067aa0ba902b7-01")
			if code >= http.StatusBadRequest {
				t.Fatal(code, body)
			}
			b.Close()
			b.server.Close() // the spans of all requests have ended
			var names []string
			for _, s := range spans.Ended() {
				names = append(names, s.Name())
			}
			if names = slices.Compact(names); !slices.Equal(names, tt.spans) {
				t.Fatalf("spans %q, want %q", names, tt.spans)
			}
			root := spans.Ended()[len(spans.Ended())-1]
			if continued := root.SpanContext().TraceID().String() == caller; continued != tt.continued {
				t.Errorf("trace %s continues %s: %v", root.SpanContext().TraceID(), caller, continued)
			}
			if !tt.continued && len(root.Links()) != 1 {
				t.Error("there is no link to the caller's trace")
			}
		})
	}
}
