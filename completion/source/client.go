package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// client reads the API with as little as possible between the bytes and the candidates.
type client struct {
	http *http.Client
	base *url.URL
}

func newClient(c clientcmd.ClientConfig) (*client, error) {
	config, err := c.ClientConfig()
	if err != nil {
		return nil, err
	}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	return &client{http: httpClient, base: base}, nil
}

// maxAnswer bounds one answer, in bytes.
const maxAnswer = 64 << 20

// get decodes the JSON answer to a request.
func (c *client) get(ctx context.Context, path string, query url.Values, accept string, into any) error {
	body, err := c.open(ctx, path, query, accept)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(into)
}

func (c *client) open(ctx context.Context, path string, query url.Values, accept string) (io.ReadCloser, error) {
	target := *c.base
	target.Path = path
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return response.Body, nil
}

// pathOf is the API's path of a resource: /api/v1/namespaces/default/pods.
func pathOf(group, version, namespace, resource string) string {
	path := "/apis/" + group + "/" + version
	if group == "" {
		path = "/api/" + version
	}
	if namespace != "" {
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	return path + "/" + resource
}
