package simulated

import (
	"context"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// asNode is the context of what an agent asks for: its requests go out as the node's.
func asNode(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, nodeKey{}, name)
}

type nodeKey struct{}

// newClient returns one client for all agents, on connections that they share.
func newClient(config *rest.Config) (kubernetes.Interface, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // the server says who is to wait
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.UserAgent = "simulated"
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return impersonator{next} })
	return kubernetes.NewForConfig(config)
}

// impersonator sends each request as the node that it is for.
type impersonator struct{ next http.RoundTripper }

func (i impersonator) RoundTrip(r *http.Request) (*http.Response, error) {
	if name, ok := r.Context().Value(nodeKey{}).(string); ok {
		r = r.Clone(r.Context())
		r.Header.Set("Impersonate-User", "system:node:"+name)
		r.Header.Set("Impersonate-Group", "system:nodes")
	}
	return i.next.RoundTrip(r)
}
