package auth

import "context"

// Request is a client's request as it was authorized.
type Request struct {
	User       User
	Attributes Attributes
}

type requestKey struct{}

// WithRequest returns a context for the work on a client's request.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf is the request that a context is for; ok is false for what the server does by itself.
func RequestOf(ctx context.Context) (r Request, ok bool) {
	r, ok = ctx.Value(requestKey{}).(Request)
	return r, ok
}
