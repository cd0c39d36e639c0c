package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// newClient takes any certificate, as the kubelet does, keeps no connections, and does not follow redirects to other
// hosts.
func newClient(protocols *http.Protocols) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, // a probe asks whether it answers, not who it is
			DisableKeepAlives:  true,
			DisableCompression: true,
			Proxy:              nil,
			Protocols:          protocols,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if next.URL.Hostname() != via[0].URL.Hostname() {
				return http.ErrUseLastResponse
			}
			if len(via) >= 10 {
				return errors.New("stopped after 10 redirects")
			}
			return nil
		},
	}
}

var client, clearHTTP2Client = newClient(nil), newClient(clearHTTP2())

// clearHTTP2 is HTTP/2 without TLS, which the server is known to speak.
func clearHTTP2() *http.Protocols {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	return p
}

// checkHTTP makes the request of a probe; a status from 200 to 399 is a success.
func checkHTTP(ctx context.Context, a *corev1.HTTPGetAction, t Target) (bool, string, error) {
	request, err := newRequest(ctx, a, t, "kube-probe")
	if err != nil {
		return false, "", err
	}
	asks := client
	if a.Protocol != nil && *a.Protocol == corev1.HTTPProtocolHTTP2 && request.URL.Scheme == "http" {
		asks = clearHTTP2Client
	}
	response, err := asks.Do(request)
	if err != nil {
		return false, err.Error(), nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxOutput))
	if err != nil {
		return false, err.Error(), nil
	}
	if response.StatusCode < 200 || response.StatusCode > 399 {
		return false, fmt.Sprintf("HTTP probe failed with statuscode: %d", response.StatusCode), nil
	}
	return true, string(body), nil
}

func newRequest(ctx context.Context, a *corev1.HTTPGetAction, t Target, agent string) (*http.Request, error) {
	host, err := address(a.Host, a.Port, t)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(a.Path)
	if err != nil {
		u = &url.URL{Path: a.Path}
	}
	u.Scheme, u.Host = strings.ToLower(string(a.Scheme)), host
	if u.Scheme == "" {
		u.Scheme = "http"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", agent+"/1.37")
	request.Header.Set("Accept", "*/*")
	for _, h := range a.HTTPHeaders {
		request.Header.Del(h.Name)
	}
	for _, h := range a.HTTPHeaders {
		request.Header.Add(h.Name, h.Value)
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	return request, nil
}
