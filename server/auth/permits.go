package auth

import "context"

type permitsKey struct{}

// WithPermits returns a context for the work on a client's request that finds out on the way what else it touches: may
// says whether the client is allowed that.
func WithPermits(ctx context.Context, may func(Attributes) bool) context.Context {
	return context.WithValue(ctx, permitsKey{}, may)
}

// Permits says whether the client whose request a context is for may do something. What no client asked for may not.
func Permits(ctx context.Context, a Attributes) bool {
	may, ok := ctx.Value(permitsKey{}).(func(Attributes) bool)
	return ok && may(a)
}
