package shell

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"leme/completion"
	"leme/shell/command"
)

// asProgram makes this test's binary be the program; sessions start children of their own binary.
const asProgram = "LEME_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
		os.Exit(Main(context.Background(), os.Args[1:], testParts(), streams))
	}
	os.Exit(m.Run())
}

func testParts() command.Parts {
	return command.Parts{
		Version: "1.2.3",
		Up: func(s genericiooptions.IOStreams) *cobra.Command {
			return &cobra.Command{Use: "up", Short: "Start a cluster", RunE: func(*cobra.Command, []string) error {
				return fmt.Errorf("finding a Docker Engine: none answers")
			}}
		},
		Complete: func(_ context.Context, args []string, s genericiooptions.IOStreams) int {
			fmt.Fprintln(s.Out, "complete", args)
			return 0
		},
		Completer: func(context.Context) command.Completer {
			return &fixed{offers: []completion.Candidate{
				{Text: "hello-1", Description: "Running 2/2 node-1"}, {Text: "hello-2", Description: "Pending"},
			}}
		},
	}
}

func TestScripts(t *testing.T) {
	cluster := fakeCluster(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			bin := filepath.Join(e.WorkDir, ".bin")
			self, err := os.Executable()
			if err != nil {
				return err
			}
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			e.Setenv(asProgram, "1")
			e.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("LEME_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("CLUSTER", cluster)
			return os.Symlink(self, filepath.Join(bin, "leme"))
		},
	})
}

// kubeconfig is one with the contexts test and other, both for the server at address.
func kubeconfig(address string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
clusters: [{name: c, cluster: {server: %q}}]
contexts:
- {name: test, context: {cluster: c, namespace: default}}
- {name: other, context: {cluster: c, namespace: elsewhere}}
`, address)
}

// fakeCluster serves what version, get and the prompt ask for, with one ConfigMap named after its namespace, and
// returns the path of a kubeconfig for it.
func fakeCluster(t *testing.T) string {
	answers := map[string]string{
		"/readyz":  "ok",
		"/version": `{"major":"1","minor":"37","gitVersion":"v1.37.2+leme-1.2.3","platform":"linux/amd64"}`,
		"/api":     `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":    `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`,
		"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[
			{"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap","verbs":["get","list"],"shortNames":["cm"]}]}`,
		"/api/v1/nodes": `{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[
			{"metadata":{"name":"n1"},"status":{"conditions":[{"type":"Ready","status":"True"}],
			"addresses":[{"type":"InternalIP","address":"10.0.0.1"}],"nodeInfo":{"kubeletVersion":"v1.37.2"}}}]}`,
		"/api/v1/pods":               `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`,
		"/api/v1/namespaces/default": `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"default"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, known := answers[r.URL.Path]
		namespace, isMaps := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/"), "/configmaps")
		switch {
		case r.URL.Query().Get("sendInitialEvents") != "": // a client that is told so lists first
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`)
		case r.URL.Query().Get("watch") != "":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case isMaps:
			fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[
				{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"map-of-%s","namespace":%q}}]}`, namespace, namespace)
		case known:
			fmt.Fprint(w, body)
		default:
			w.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure",
				"reason": "NotFound", "code": 404, "message": r.URL.Path + " not found"})
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(kubeconfig(server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
