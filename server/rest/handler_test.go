package rest

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/resource"
)

// TestAnswers is a table of requests and what every client relies on in the answers to them.
func TestAnswers(t *testing.T) {
	b := newBed(t, &tls.Config{})
	if code, _, body := b.do(t, "POST /api/v1/namespaces/default/pods", podJSON("one")); code != http.StatusCreated {
		t.Fatal(code, body)
	}
	const pods = "/api/v1/namespaces/default/pods"
	const deployments = "/apis/apps/v1/namespaces/default/deployments"
	deploymentJSON := `{"metadata":{"name":"web"},"spec":{"replicas":2,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},` +
		`"spec":{"containers":[{"name":"web","image":"web:1"}]}}}}`
	asTable := "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"
	for _, tt := range []struct {
		request, body string
		headers       []string
		code          int
		want          string // a part of the body
	}{
		{"GET " + pods, "", nil, 200, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"`},
		{"GET " + pods, "", nil, 200, `"items":[{"metadata":{"`},
		{"GET " + pods + "?limit=x", "", nil, 400, "reading the parameters"},
		{"GET " + pods + "/one", "", nil, 200, `{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"`},
		{"GET " + pods + "/one?pretty=1", "", nil, 200, "{\n  \"kind\": \"Pod\",\n"},
		{"GET " + pods + "/one", "", []string{"Accept: application/yaml"}, 200, "kind: Pod\n"},
		{"GET " + pods, "", []string{"Accept: application/yaml"}, 200, "kind: PodList\n"},
		{"GET " + pods, "", []string{asTable}, 200, `"cells":["one",`},
		{"GET " + pods + "/one", "", []string{asTable}, 200, `"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{`},
		{"GET " + pods + "?includeObject=None", "", []string{asTable}, 200, `]}]}`},
		{"GET " + pods + "?includeObject=Some", "", []string{asTable}, 400, "unrecognized includeObject value"},
		{"GET " + pods, "", []string{"Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}, 200, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1"`},
		{"POST " + deployments, deploymentJSON, nil, 201, `"name":"web"`},
		{"GET " + deployments + "/web/scale", "", []string{asTable}, 200, `"rows":[{"cells":["web",2,0,`},
		{"GET " + pods, "", []string{"Accept: text/html"}, 406, "NotAcceptable"},
		{"GET " + pods + "/two", "", nil, 404, `"message":"pods \"two\" not found","reason":"NotFound","details":{"name":"two","kind":"pods"},"code":404}`},
		{"GET /api/v1/nothings", "", nil, 404, `"the server could not find the requested resource (list nothings)","reason":"NotFound","details":{},`},
		{"PATCH " + pods + "/one/nothing", "{}", nil, 404, `resource (patch pods/nothing)","reason":"NotFound","details":{},`},
		{"GET /api/v1/namespaces/default/nodes", "", nil, 404, "NotFound"},
		{"GET /api/v1/pods/one", "", nil, 404, "NotFound"},
		{"GET " + pods + "/one/nothing", "", nil, 404, "NotFound"},
		{"GET /nothing", "", nil, 404, `"reason":"NotFound"`},
		{"GET /apis/nothing", "", nil, 404, `"reason":"NotFound"`},
		{"POST /api/v1/pods", podJSON("two"), nil, 405, "MethodNotAllowed"},
		{"POST " + pods + "/one", podJSON("one"), nil, 405, "MethodNotAllowed"},
		{"PUT " + pods, podJSON("one"), nil, 405, "MethodNotAllowed"},
		{"OPTIONS " + pods, "", nil, 405, "MethodNotAllowed"},
		{"DELETE " + pods + "/one/status", "", nil, 405, "MethodNotAllowed"},
		{"POST /version", "", nil, 405, "MethodNotAllowed"},
		{"POST " + pods, podJSON("one"), nil, 409, "AlreadyExists"},
		{"POST " + pods, "{", nil, 400, "BadRequest"},
		{"POST " + pods, `{"kind":"Node","apiVersion":"v1"}`, nil, 400, "BadRequest"},
		{"POST " + pods, podJSON("two"), []string{"Content-Type: text/plain"}, 415, "UnsupportedMediaType"},
		{"POST " + pods, strings.Repeat(" ", resource.MaxBody+1), nil, 413, "RequestEntityTooLarge"},
		{"POST " + pods + "?fieldValidation=Strict", strings.Replace(podJSON("two"), "image", "imagge", 1), nil, 400, `unknown field \"spec.containers[0].imagge\"`},
		{"POST " + pods + "?fieldValidation=Maybe", podJSON("two"), nil, 422, `CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value`},
		{"POST " + pods + "?dryRun=All", podJSON("dry"), nil, 201, `"name":"dry"`},
		{"GET " + pods + "/dry", "", nil, 404, "NotFound"},
		{"PATCH " + pods + "/one", `{}`, nil, 415, "application/strategic-merge-patch+json"},
		{"PATCH " + pods + "/one", `{"metadata":{"labels":{"a":"b"}}}`, []string{"Content-Type: application/merge-patch+json"}, 200, `"labels":{"a":"b"}`},
		{"GET " + pods + "/one/status", "", nil, 200, `"phase":"Pending"`},
		{"GET /version", "", nil, 200, `"gitVersion":"v1.37.2+leme-test"`},
		{"GET /healthz/ping", "", nil, 200, "ok"},
		{"GET /readyz?verbose", "", nil, 200, "[+]etcd ok\n[+]shutdown ok\nreadyz check passed"},
		{"GET /readyz?verbose&exclude=etcd&exclude=none", "", nil, 200, "[+]etcd excluded: ok\n[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for \"none\"\nreadyz check passed"},
		{"GET /livez/etcd", "", nil, 200, "ok"},
		{"GET /healthz/nothing", "", nil, 404, ""},
		{"GET /", "", nil, 200, `"/apis/apps/v1"`},
		{"GET /v2/", "", nil, 200, "mounted"},
		{"GET /v2/x/y", "", nil, 200, "mounted"},
		{"GET /metrics", "", nil, 200, `apiserver_resource_objects{group="",resource="pods"} 1`},
		{"GET " + pods, "", []string{"X-User: mallory"}, 401, "Unauthorized"},
		{"GET /healthz", "", []string{"X-User: mallory"}, 401, "Unauthorized"},
		{"GET " + pods, "", []string{"X-User: "}, 401, "Unauthorized"},
		{"GET /api", "", []string{"X-User: "}, 401, "Unauthorized"},
		{"GET /healthz", "", []string{"X-User: "}, 200, "ok"},
		{"GET /version", "", []string{"X-User: "}, 200, "v1.37.2"},
		{"GET " + pods, "", []string{"X-User: jane", "X-Group: staff"}, 403, `pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"`},
		{"GET " + pods, "", []string{"Impersonate-User: jane"}, 403, `User \"jane\" cannot list`},
		{"GET " + pods, "", []string{"Impersonate-User: jane", "Impersonate-Group: system:masters"}, 200, "PodList"},
		{"GET " + pods, "", []string{"Impersonate-Group: system:masters"}, 400, "without a user"},
		{"POST /apis/authentication.k8s.io/v1/selfsubjectreviews", `{}`, []string{"Impersonate-User: jane", "Impersonate-Extra-Acme.com%2fscopes: x"}, 201, `"extra":{"acme.com/scopes":["x"]}`},
		{"GET " + pods, "", []string{"Impersonate-Extra-Scopes: x"}, 400, "without a user"},
		{"GET " + pods, "", []string{"X-User: jane", "X-Group: staff", "Impersonate-User: admin"}, 403, `User \"jane\" cannot impersonate resource \"users\"`},
		{"POST /apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", []string{"Impersonate-User: system:serviceaccount:a:b"}, 201, `["system:serviceaccounts","system:serviceaccounts:a","system:authenticated"]`},
		{"GET /metrics", "", []string{"X-User: jane", "X-Group: staff"}, 403, `forbidden: User \"jane\" cannot get path \"/metrics\"`},
		{"DELETE " + pods + "/one", `{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}`, nil, 200, `"name":"one"`},
	} {
		t.Run(tt.request, func(t *testing.T) {
			code, _, body := b.do(t, tt.request, tt.body, tt.headers...)
			if code != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s\nwant %d %s", code, body, tt.code, tt.want)
			}
			if code >= 400 && strings.HasPrefix(body, "{") {
				var status metav1.Status
				if err := json.Unmarshal([]byte(body), &status); err != nil || status.Kind != "Status" || int(status.Code) != code {
					t.Errorf("not a Status: %s", body)
				}
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	b := newBed(t, &tls.Config{})
	_, header, _ := b.do(t, "GET /v2/", "", "X-User: ")
	if got := header.Get("WWW-Authenticate"); got != `Basic realm="leme"` {
		t.Errorf("a registry client is asked for %q", got)
	}
	_, header, _ = b.do(t, "POST /api/v1/namespaces/default/pods", strings.Replace(podJSON("one"), `"spec"`, `"spek":1,"spec"`, 1))
	if got := header.Values("Warning"); len(got) != 1 || got[0] != `299 - "unknown field \"spek\""` {
		t.Errorf("warnings %q", got)
	}
	_, _, body := b.do(t, "POST /api/v1/namespaces/default/configmaps", `{"metadata":{"name":"c"},"data":{"a":"b"}}`, "User-Agent: prog/1.0 (linux)")
	if !strings.Contains(body, `"manager":"prog"`) {
		t.Errorf("the field manager is not the program: %s", body)
	}
}

func TestPanicIsAStatus(t *testing.T) {
	b := newBed(t, &tls.Config{})
	b.fixed.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("oh") })
	b.api = nil // what serves objects panics
	for _, request := range []string{"GET /panic", "GET /api/v1/namespaces/default/pods/one"} {
		code, _, body := b.do(t, request, "")
		if code != 500 || !strings.Contains(body, "InternalError") {
			t.Errorf("%s: %d %s", request, code, body)
		}
	}
}
