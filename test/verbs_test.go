package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// configMap is a manifest of one, with a value under "k".
func configMap(name, value string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"labels":{"set":"x"}},"data":{"k":%q}}`, name, value)
}

const strangeFields = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"strange"},"spec":{"contaners":[],"containers":[{"name":"c","image":"x","imagge":"y"}]}}`

// manifests are the files of TestVerbs.
var manifests = map[string]string{
	"one.json":                configMap("one", "v"),
	"changed.json":            configMap("one", "w"),
	"folder/a.json":           configMap("a", "v"),
	"folder/below/b.json":     configMap("b", "v"),
	"custom/one.json":         configMap("one", "v"),
	"custom/kustomization":    "resources: [one.json]\nnamePrefix: custom-\n",
	"stale.json":              strings.Replace(configMap("one", "v"), `"name"`, `"resourceVersion":"1","name"`, 1),
	"immutable.json":          strings.Replace(configMap("fixed", "v"), `"data"`, `"immutable":true,"data"`, 1),
	"immutable-changed.json":  strings.Replace(configMap("fixed", "w"), `"data"`, `"immutable":true,"data"`, 1),
	"generated.json":          strings.Replace(configMap("gen-", "v"), `"name"`, `"generateName"`, 1),
	"strange.json":            strangeFields,
	"big.json":                configMap("big", strings.Repeat("x", 900_000)),
	"bigger.json":             configMap("big", strings.Repeat("x", 1_100_000)),
	"biggest.json":            configMap("big", strings.Repeat("x", 4_000_000)),
	"number.json":             strings.Replace(configMap("number", "v"), `"v"`, `1`, 1),
	"nothing.json":            `{"foo":"bar"}`,
	"unknown.json":            `{"apiVersion":"nowhere.io/v1","kind":"Nothing","metadata":{"name":"x"}}`,
	"finalizer.json":          strings.Replace(configMap("kept", "v"), `"name"`, `"finalizers":["test.io/wait"],"name"`, 1),
	"owner-is-missing.json":   strings.Replace(configMap("orphan", "v"), `"name"`, `"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"nobody","uid":"11111111-1111-1111-1111-111111111111"}],"name"`, 1),
	"deployment-without.json": `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":0}}`,
}

// verb is one command line, and how it ends.
type verb struct {
	line string // for "kubectl", "leme", or "both" of them in turn
	code int
	want string // a part of what it prints, on either stream
}

// verbs are done in this order, in one namespace.
var verbs = []verb{
	{"kubectl apply -f one.json", 0, "configmap/one created"},
	{"both apply -f one.json", 0, "configmap/one unchanged"},
	{"both apply --server-side --dry-run=server -f one.json", 0, "serverside-applied (server dry run)"},
	{"kubectl apply -f folder", 0, "configmap/a created"},
	{"kubectl apply -R -f folder", 0, "configmap/b created"},
	{"kubectl apply -k custom", 0, "configmap/custom-one created"},
	{"both kustomize custom", 0, "name: custom-one"},
	{"both apply -f strange.json", 1, `strict decoding error: unknown field "spec.containers[0].imagge", unknown field "spec.contaners"`},
	{"both apply --dry-run=server --validate=warn -f strange.json", 0, `Warning: unknown field "spec.contaners"`},
	{"both apply --dry-run=server --validate=ignore -f strange.json", 0, "pod/strange created (server dry run)"},
	{"both apply --server-side -f strange.json", 1, ".spec.contaners: field not declared in schema"},
	{"both apply -f nothing.json", 1, "apiVersion not set"},
	{"both apply -f unknown.json", 1, `no matches for kind "Nothing" in version "nowhere.io/v1"`},
	{"both apply -f number.json", 1, "cannot unmarshal number into Go struct field ConfigMap.data of type string"},
	{"both apply -f nowhere.json", 1, `the path "nowhere.json" does not exist`},
	{"both apply -f deployment-without.json", 1, "spec.selector: Required value"},
	{"kubectl apply --prune -l set=x --prune-allowlist=core/v1/ConfigMap -f one.json --dry-run=server", 0, "configmap/custom-one pruned (server dry run)"},
	{"kubectl apply view-last-applied configmap/one", 0, "k: v"},

	{"both diff -f one.json", 0, ""},
	{"both diff -f changed.json", 1, "+  k: w"},
	{"kubectl diff -f nowhere.json", 2, "does not exist"},

	{"both apply -f big.json", 1, "metadata.annotations: Too long: may not be more than 262144 bytes"},
	{"both apply --server-side -f big.json", 0, "configmap/big serverside-applied"},
	{"both apply --server-side -f bigger.json", 1, "Too long: may not be more than 1048576 bytes"},
	{"both create -f biggest.json", 1, "limit is 3145728"},

	{"both create configmap one", 1, `configmaps "one" already exists`},
	{"both create -f generated.json", 0, "configmap/gen-"},
	{"both create deployment web", 1, `required flag(s) "image" not set`},
	{"both create secret generic", 1, "exactly one NAME is required"},
	{"both run web --image=x --dry-run=client -o yaml", 0, "restartPolicy: Always"},
	{"both run Web --image=x", 1, "metadata.name: Invalid value"},

	{"both get nothings", 1, `the server doesn't have a resource type "nothings"`},
	{"both get configmap nobody", 1, `Error from server (NotFound): configmaps "nobody" not found`},
	{"both get configmap nobody --ignore-not-found", 0, ""},
	{"both get pods -l none=x", 0, "No resources found in"},
	{"both get configmaps -o nothing", 1, "unable to match a printer"},
	{"both get configmaps --field-selector=data.k=v", 1, `"data.k" is not a known field selector`},
	{"both get configmaps --field-selector=metadata.name=a -o name", 0, "configmap/a\n"},
	{"both get configmaps -l set=x --sort-by=.metadata.name -o custom-columns=N:.metadata.name,K:.data.k --no-headers", 0, "one          v\n"},
	{"both get configmaps -l set=x -o jsonpath={.items[*].metadata.name}", 0, "a b big custom-one gen-"},
	{"both get configmaps a b -o go-template={{range.items}}{{.metadata.name}}{{end}}", 0, "ab"},
	{"both get configmaps -L set --show-labels", 0, "LABELS"},
	{"kubectl get configmaps --chunk-size=3 -v=6", 0, "continue="},
	{"both get --raw /readyz?verbose", 0, "readyz check passed"},
	{"both explain pods.spec.containers.lifecycle.preStop.exec", 0, "FIELD: exec <ExecAction>"},
	{"both explain deployment --recursive", 0, "maxSurge"},
	{"both explain pods.nothing", 1, `field "nothing" does not exist`},
	{"both api-resources --verbs=list --namespaced=false -o name", 0, "nodes\n"},
	{"both api-versions", 0, "apps/v1\n"},

	{"both label configmap one set=y", 1, "--overwrite is false"},
	{"kubectl label configmap one set=y --overwrite", 0, "configmap/one labeled"},
	{"both label configmap one set=y", 0, "configmap/one not labeled"},
	{"both annotate configmap one a=b --resource-version=1", 1, "Error from server (Conflict)"},
	{"both label configmap nobody a=b", 1, "not found"},

	{"both patch configmap one -p {\"data\":{\"k\":\"p\"}}", 0, "configmap/one patched"},
	{"both patch configmap one --type=merge -p {\"data\":{\"l\":\"m\"}}", 0, "patched"},
	{"both patch configmap one --type=json -p [{\"op\":\"test\",\"path\":\"/data/k\",\"value\":\"other\"}]", 1, "test failed"},
	{"both patch configmap one --type=other -p {}", 1, "--type must be one of"},
	{"both patch configmap one --subresource=status -p {}", 1, "could not find the requested resource (get configmaps/status)"},
	{"both patch configmap one -p {", 1, "BadRequest"},
	{"kubectl edit configmap one", 0, "configmap/one edited"},
	{"both edit configmap one", 0, "Edit cancelled, no changes made"},

	{"both replace -f stale.json", 1, "the object has been modified; please apply your changes to the latest version"},
	{"kubectl replace -f changed.json", 0, "configmap/one replaced"},
	{"kubectl replace --force -f changed.json", 0, "configmap/one replaced"},
	{"kubectl create -f immutable.json", 0, "created"},
	{"both replace -f immutable-changed.json", 1, "data: Forbidden: field is immutable when `immutable` is set"},

	{"kubectl create deployment web --image=x --replicas=0", 0, "deployment.apps/web created"},
	{"both get deployment web --subresource=scale", 0, "DESIRED"},
	{"both scale deployment web --replicas=0 --current-replicas=9", 1, "Expected replicas to be 9, was 0"},
	{"both scale deployment web --replicas=0 --current-replicas=0", 0, "scaled"},
	{"both scale deployment nobody --replicas=1", 1, "not found"},
	{"kubectl patch deployment web --subresource=scale --type=merge -p {\"spec\":{\"replicas\":0}}", 0, "patched"},
	{"both set image deployment/web nobody=y", 1, "unable to find container"},
	{"kubectl set env deployment/web A=b", 0, "env updated"},
	{"both set env deployment/web --list", 0, "A=b"},
	{"both set resources deployment/web --limits=cpu=1 --requests=cpu=2", 1, "must be less than or equal to cpu limit"},
	{"kubectl set serviceaccount deployment/web default", 0, "serviceaccount updated"},
	{"kubectl rollout pause deployment/web", 0, "paused"},
	{"both rollout pause deployment/web", 1, "already paused"},
	{"both rollout restart deployment/web", 1, "can't restart paused deployment"},
	{"kubectl rollout resume deployment/web", 0, "resumed"},
	{"kubectl annotate deployment web kubernetes.io/change-cause=why", 0, "annotated"},
	{"both rollout status deployment/web", 0, "successfully rolled out"},
	{"both rollout history deployment/web", 0, "why"},
	{"both rollout undo deployment/web --to-revision=99", 1, "unable to find specified revision 99 in history"},
	{"both wait deployment/web --for=condition=Available --timeout=20s", 0, "condition met"},
	{"both wait deployment/web --for=jsonpath={.spec.replicas}=7 --timeout=100ms", 1, "timed out waiting for the condition"},
	{"both wait configmap/nobody --for=delete", 0, ""},
	{"both describe deployment web", 0, "RollingUpdateStrategy"},
	{"kubectl delete deployment web --cascade=foreground", 0, "deleted"},

	{"both auth whoami", 0, "system:masters"},
	{"both auth can-i delete pods", 0, "yes"},
	{"both auth can-i delete pods --as=nobody", 1, "no"},
	{"both get pods --as=nobody", 1, `User "nobody" cannot list resource "pods"`},
	{"both auth can-i update images.registry.leme", 0, "yes"},
	{"both auth can-i get images.registry.leme --as=nobody", 1, "no"},
	{"both auth can-i --list", 0, "selfsubjectreviews.authentication.k8s.io"},

	{"both delete configmaps -l set=x --dry-run=server", 0, "deleted from"},
	{"both delete configmap nobody", 1, "NotFound"},
	{"both delete configmap nobody --ignore-not-found", 0, ""},
	{"both delete namespace default", 1, "this namespace may not be deleted"},
	{"kubectl create -f finalizer.json", 0, "created"},
	{"kubectl delete configmap kept --wait=false", 0, "deleted"},
	{"both wait configmap/kept --for=delete --timeout=100ms", 1, "timed out"},
	{"kubectl patch configmap kept --type=merge -p {\"metadata\":{\"finalizers\":null}}", 0, "patched"},
	{"both wait configmap/kept --for=delete --timeout=20s", 0, ""},
	{"kubectl create -f owner-is-missing.json", 0, "created"},
	{"both wait configmap/orphan --for=delete --timeout=20s", 0, ""},
	{"kubectl delete configmaps -l set=x", 0, "deleted"},
	{"both delete configmaps -l set=x", 0, "No resources found"},

	{"kubectl create namespace verbs-stuck", 0, "created"},
	{"kubectl create -f finalizer.json --namespace=verbs-stuck", 0, "created"},
	{"kubectl delete namespace verbs-stuck --wait=false", 0, "deleted"},
	{"kubectl wait namespace/verbs-stuck --for=condition=NamespaceFinalizersRemaining --timeout=20s", 0, "condition met"},
	{"both describe namespace verbs-stuck", 0, "test.io/wait in 1 resource instances"},
	{"both create configmap late --namespace=verbs-stuck", 1, "because it is being terminated"},
	{"kubectl patch configmap kept --namespace=verbs-stuck --type=merge -p {\"metadata\":{\"finalizers\":null}}", 0, "patched"},
	{"both wait namespace/verbs-stuck --for=delete --timeout=20s", 0, ""},

	{"both version", 0, "Server Version: v1.37."},
	{"leme nothing", 1, `unknown command "nothing"`},
	{"both get pods --nothing", 1, "unknown flag: --nothing"},
	{"leme config current-context", 0, "leme"},
	{"leme cluster-info", 0, "Control plane"},
}

// noise is what no command may print: a stack trace, or a line of the client library's log.
var noise = regexp.MustCompile(`(?m)^(goroutine \d+|panic:|[EFW]\d{4} )`)

// TestVerbs does what people do with kubectl, with kubectl itself and with leme, and looks at the answers and exit codes.
func TestVerbs(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	dir := t.TempDir()
	for name, content := range manifests {
		path := filepath.Join(dir, strings.Replace(name, "kustomization", "kustomization.yaml", 1))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o644))
	}
	for _, v := range verbs {
		v.run(t, c, dir, namespace)
	}
}

// run does the line in a folder, with each program that it names.
func (v verb) run(t *testing.T, c *cluster, dir, namespace string) {
	t.Helper()
	program, line, _ := strings.Cut(v.line, " ")
	if program != "leme" {
		v.check(t, c.kubectl, dir, namespace, line)
	}
	if program != "kubectl" {
		v.check(t, c.command, dir, namespace, line)
	}
}

func (v verb) check(t *testing.T, program func(context.Context, ...string) *exec.Cmd, dir, namespace, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := program(ctx, append([]string{"-n", namespace}, strings.Fields(line)...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "KUBE_EDITOR=sed -i s/m$/edited/") // changes what the merge patch left, once
	code, out := exit(t, cmd)
	if code != v.code || !strings.Contains(out, v.want) {
		t.Errorf("%s %s\nended with %d: %.2000s\nwant %d: %s", filepath.Base(cmd.Path), line, code, out, v.code, v.want)
	}
	if !strings.Contains(line, "-v=") && noise.MatchString(out) {
		t.Errorf("%s %s\nprints: %s", filepath.Base(cmd.Path), line, out)
	}
}

// exit runs a command to its end and gives its exit code and all that it printed.
func exit(t *testing.T, cmd *exec.Cmd) (code int, out string) {
	t.Helper()
	printed, err := cmd.CombinedOutput()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatalf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	return cmd.ProcessState.ExitCode(), string(printed)
}
