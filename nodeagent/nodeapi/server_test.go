package nodeapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"leme/nodeagent/docker/dockertest"
)

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	host := "https://" + n.address
	nobody := &rest.Config{Host: host, TLSClientConfig: rest.TLSClientConfig{CAData: n.ca.pem}}
	for name, row := range map[string]struct {
		config *rest.Config
		path   string
		code   int
	}{
		"anyone may ask for health": {nobody, "/healthz", http.StatusOK},
		"nobody":                    {nobody, "/pods", http.StatusUnauthorized},
		"the server":                {n.server(t), "/pods", http.StatusOK},
		"an administrator":          {&rest.Config{Host: host, TLSClientConfig: n.ca.issue(t, "me", "system:masters")}, "/pods", http.StatusOK},
		"another node":              {&rest.Config{Host: host, TLSClientConfig: n.ca.issue(t, "system:node:x", "system:nodes")}, "/pods", http.StatusForbidden},
		"not there":                 {n.server(t), "/checkpoint", http.StatusNotFound},
		"anyone may ping":           {nobody, "/healthz/ping", http.StatusOK},
	} {
		if code, body := get(t, row.config, row.path); code != row.code {
			t.Errorf("%s: %d %s, want %d", name, code, body, row.code)
		}
	}
	stranger := newAuthority(t).issue(t, "system:leme-server")
	stranger.CAData = n.ca.pem
	transport, err := rest.TransportFor(&rest.Config{TLSClientConfig: stranger})
	must(t, err)
	if response, err := (&http.Client{Transport: transport}).Get(host + "/pods"); err == nil {
		response.Body.Close()
		t.Errorf("a certificate of another CA got %d", response.StatusCode)
	}
}

// TestReviews: the cluster says whose a token is, and which parts of the node's API its bearer may use; it is asked once.
func TestReviews(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var asked atomic.Int32
	n.api.PrependReactor("create", "tokenreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		asked.Add(1)
		review := a.(clienttesting.CreateAction).GetObject().(*authenticationv1.TokenReview)
		name, ok := strings.CutPrefix(review.Spec.Token, "token-of-")
		review.Status = authenticationv1.TokenReviewStatus{Authenticated: ok, User: authenticationv1.UserInfo{Username: name, Groups: []string{"scrapers"}}}
		return true, review, nil
	})
	n.api.PrependReactor("create", "subjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		asked.Add(1)
		review := a.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview)
		what := review.Spec.ResourceAttributes
		review.Status.Allowed = review.Spec.User == "prometheus" && slices.Contains(review.Spec.Groups, "scrapers") && what.Verb == "get" &&
			what.Resource == "nodes" && what.Name == "here" && what.Subresource == "metrics" || review.Spec.User == "proxy" && what.Subresource == "proxy"
		return true, review, nil
	})
	host := "https://" + n.address
	bearer := func(token string) *rest.Config {
		return &rest.Config{Host: host, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: n.ca.pem}}
	}
	for name, row := range map[string]struct {
		config *rest.Config
		path   string
		code   int
		says   string
	}{
		"what it may":                    {bearer("token-of-prometheus"), "/metrics/resource", http.StatusOK, ""},
		"what it may not":                {bearer("token-of-prometheus"), "/pods", http.StatusForbidden, "Forbidden (user=prometheus, verb=get, resource=nodes, subresource(s)=[pods proxy])"},
		"by the wider name":              {bearer("token-of-proxy"), "/pods", http.StatusOK, ""},
		"which is not enough for all":    {bearer("token-of-proxy"), "/metrics", http.StatusForbidden, "subresource(s)=[metrics]"},
		"a token of nobody's":            {bearer("x"), "/metrics", http.StatusUnauthorized, "Unauthorized"},
		"a token with the server's name": {bearer("token-of-system:leme-server"), "/metrics", http.StatusUnauthorized, "Unauthorized"},
		"a certificate":                  {&rest.Config{Host: host, TLSClientConfig: n.ca.issue(t, "prometheus", "scrapers")}, "/metrics/probes", http.StatusOK, ""},
	} {
		if code, body := get(t, row.config, row.path); code != row.code || !strings.Contains(body, row.says) {
			t.Errorf("%s: %d %s, want %d %s", name, code, body, row.code, row.says)
		}
	}
	before := asked.Load()
	if code, _ := get(t, bearer("token-of-prometheus"), "/metrics/resource"); code != http.StatusOK || asked.Load() != before {
		t.Errorf("%d; the cluster was asked again: %d times", code, asked.Load()-before)
	}
}

func TestPodsVersionMetrics(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	web := n.Pod("web", "memory", "10")
	n.run(t, web)
	server := n.server(t)
	_, body := get(t, server, "/pods")
	var list corev1.PodList
	must(t, json.Unmarshal([]byte(body), &list))
	if len(list.Items) != 1 || list.Items[0].Name != "web" || list.Kind != "PodList" {
		t.Errorf("pods: %s", body)
	}
	for path, want := range map[string][]string{
		"/runningpods/": {`"kind":"PodList"`, `"name":"web"`, `"containers":[{"name":"app"`},
		"/version":      {"v1.37.0"},
		"/metrics":      {"go_goroutines"},
		"/metrics/resource": {
			`container_memory_working_set_bytes{container="app",namespace="default",pod="web"}`,
			`pod_cpu_usage_seconds_total{namespace="default",pod="web"}`, "node_cpu_usage_seconds_total", "resource_scrape_error 0",
		},
		"/metrics/cadvisor": {
			`container_cpu_usage_seconds_total{container="app",cpu="total",id="/docker/`, `container_memory_working_set_bytes{container="app",id="/docker/`,
			`container_network_receive_bytes_total{container="",id="/docker/`, `interface="eth0"`, `container_cpu_usage_seconds_total{container="",cpu="total",id="/"`,
			`container_processes{container="app"`, `container_fs_limit_bytes{container="",device="",id="/"`, "machine_cpu_cores", "container_scrape_error 0",
		},
		"/metrics/probes": {""},
	} {
		code, body := get(t, server, path)
		for _, w := range want {
			if code != http.StatusOK || !strings.Contains(body, w) {
				t.Errorf("%s: %d, no %q in %s", path, code, w, body)
			}
		}
	}
	type summary struct {
		Node struct {
			CPU, Memory map[string]any
		}
		Pods []struct {
			PodRef     map[string]string
			Containers []struct {
				Name                      string
				CPU, Memory, Rootfs, Logs map[string]any
			}
			Network map[string]any
		}
	}
	var s summary
	dockertest.Eventually(t, func() bool { // a rate needs two measurements, and disks are measured aside
		_, body = get(t, server, "/stats/summary")
		s = summary{}
		must(t, json.Unmarshal([]byte(body), &s))
		return s.Node.CPU["usageNanoCores"] != nil && len(s.Pods) == 1 && len(s.Pods[0].Containers) == 1 && s.Pods[0].Containers[0].Rootfs != nil
	})
	if len(s.Pods) != 1 || len(s.Pods[0].Containers) != 1 || s.Pods[0].PodRef["uid"] != string(web.UID) || s.Pods[0].Network == nil {
		t.Fatalf("summary: %s", body)
	}
	c := s.Pods[0].Containers[0]
	if c.Name != "app" || c.CPU["usageNanoCores"] == nil || c.Memory["workingSetBytes"].(float64) == 0 || s.Node.CPU["usageNanoCores"] == nil || c.Logs["usedBytes"] == nil || c.Rootfs["capacityBytes"] == nil {
		t.Errorf("summary: %s", body)
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.WaitExit(t, n.run(t, n.Pod("ended", "print", "4", "end")))
	server := n.server(t)
	for query, want := range map[string]string{
		"tailLines=0":                  "",
		"stream=Stdout":                "line 0\nline 2\n",
		"stream=Stdout&limitBytes=8":   "line 0\nl",
		"follow=true&stream=Stderr":    "line 1\nline 3\n",
		"sinceSeconds=3600&stream=All": "line",
	} {
		if code, body := get(t, server, "/containerLogs/default/ended/app?"+query); code != http.StatusOK || !strings.HasPrefix(body, want) {
			t.Errorf("%s: %d %q", query, code, body)
		}
	}
	for query, want := range map[string]int{
		"tailLines=-1": 422, "limitBytes=0": 422, "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z": 422, "follow=perhaps": 422,
		"previous=true": 400,
	} {
		if code, body := get(t, server, "/containerLogs/default/ended/app?"+query); code != want {
			t.Errorf("%s: %d %s, want %d", query, code, body, want)
		}
	}
}

func TestFollowedLogsComeAtOnceAndEndWithTheClient(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.run(t, n.Pod("talking", "print", "2"))
	server := n.server(t)
	transport, err := rest.TransportFor(server)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.Host+"/containerLogs/default/talking/app?follow=true", nil)
	must(t, err)
	response, err := (&http.Client{Transport: transport}).Do(request)
	must(t, err)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for range 2 {
		if !lines.Scan() {
			t.Fatal("the log ended")
		}
	}
	cancel()
	if lines.Scan() {
		t.Errorf("more came: %q", lines.Text())
	}
}
