package rest

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"leme/server/auth"
)

// traceContext is how traces go from one program to the next (https://www.w3.org/TR/trace-context/).
var traceContext propagation.TraceContext

// trace makes a span of a request. Only those whom the cluster trusts continue a trace of theirs, which decides whether
// it is sampled; to the others' it has a link. Without a collector it is not there at all.
func (h *Handler) trace(next http.Handler) http.Handler {
	if h.tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		caller := trace.SpanContextFromContext(traceContext.Extract(context.Background(), propagation.HeaderCarrier(r.Header)))
		ctx, options := r.Context(), []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(c.arrived), trace.WithAttributes(
				attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path),
				attribute.String("user_agent.original", r.UserAgent()), attribute.String("audit-id", c.id)),
		}
		switch {
		case caller.IsValid() && (c.user.In(auth.GroupMasters) || c.user.In(auth.GroupServers) || c.user.In(auth.GroupNodes)):
			ctx = trace.ContextWithRemoteSpanContext(ctx, caller)
		case caller.IsValid():
			options = append(options, trace.WithLinks(trace.Link{SpanContext: caller}))
		}
		ctx, span := h.tracer.Start(ctx, c.spanName(), options...)
		defer span.End()
		c.r = r.WithContext(ctx)
		next.ServeHTTP(w, c.r)
		span.SetAttributes(attribute.Int("http.response.status_code", c.w.status))
		if c.w.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	})
}

func (c *call) spanName() string {
	switch {
	case c.info.Resource == "":
		return c.info.Verb
	case c.info.Subresource != "":
		return c.info.Verb + " " + c.info.Resource + "/" + c.info.Subresource
	}
	return c.info.Verb + " " + c.info.Resource
}

// passTrace lets what a request is passed on to continue its trace.
func passTrace(ctx context.Context, header http.Header) {
	traceContext.Inject(ctx, propagation.HeaderCarrier(header))
}
