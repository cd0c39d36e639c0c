package tap_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/docker/dockertest/tap"
)

// ask calls the engine over a line of its own: over one that served before, net/http asks again when it is cut.
func ask(t *testing.T, tapped *tap.Tap, path string) error {
	t.Helper()
	lines := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(tapped.Host(), "unix://"))
		},
	}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := lines.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(string(body))
	}
	return err
}

func TestTap(t *testing.T) {
	t.Parallel()
	tapped := tap.New(t, dockertest.Engine(t).DaemonHost(), tap.Here)
	died := ""
	for name, harm := range map[string]tap.Harm{
		"before": {Before: func() { died += "before" }},
		"after":  {After: func() { died += "after" }},
		"refuse": {Refuse: true},
		"cut":    {Cut: true},
	} {
		tapped.Set(func(c tap.Call) tap.Harm {
			if c.Kind == "GET /containers/json" && c.Nth == 2 {
				return harm
			}
			return tap.Harm{}
		})
		for nth, well := range []bool{true, false, true} {
			if err := ask(t, tapped, "/v1.41/containers/json"); (err == nil) != well {
				t.Errorf("%s: call %d: %v", name, nth+1, err)
			}
		}
	}
	if died != "beforeafter" && died != "afterbefore" {
		t.Errorf("it died %q", died)
	}
	if err := ask(t, tapped, "/v1.41/containers/no-such/json"); err == nil || !strings.Contains(err.Error(), "No such container") {
		t.Errorf("the engine's own error: %v", err)
	}
	if calls := tapped.Calls(); calls[len(calls)-1].String() != "GET /containers/ID/json #1" {
		t.Errorf("%v", calls)
	}
}
