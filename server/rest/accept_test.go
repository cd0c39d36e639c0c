package rest

import "testing"

func TestNegotiate(t *testing.T) {
	const kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
	const metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
	for _, tt := range []struct {
		name   string
		header string
		watch  bool
		want   accept
		ok     bool
	}{
		{"nothing", "", false, accept{format: formatJSON}, true},
		{"anything", "*/*", false, accept{format: formatJSON}, true},
		{"kubectl get", kubectl, false, accept{format: formatJSON, form: formTable}, true},
		{"kubectl get -w", kubectl, true, accept{format: formatJSON, form: formTable}, true},
		{"client-go", "application/vnd.kubernetes.protobuf,application/json", false, accept{format: formatProtobuf}, true},
		{"client-go watching", "application/vnd.kubernetes.protobuf;stream=watch,application/json", true, accept{format: formatProtobuf}, true},
		{"metadata client", metadata, false, accept{format: formatJSON, form: formPartial}, true},
		{"an old table", "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", false, accept{format: formatJSON}, true},
		{"by quality", "application/json;q=0.5,application/yaml;q=0.9", false, accept{format: formatYAML}, true},
		{"refused", "application/json;q=0, application/yaml", false, accept{format: formatYAML}, true},
		{"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false, accept{format: formatJSON}, true},
		{"yaml does not stream", "application/yaml", true, accept{}, false},
		{"cbor falls back", "application/cbor,application/json;q=0.9", false, accept{format: formatJSON}, true},
		{"nothing we have", "text/html", false, accept{}, false},
		{"nonsense", ";;;", false, accept{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := negotiate(tt.header, tt.watch); got != tt.want || ok != tt.ok {
				t.Errorf("got %+v %v", got, ok)
			}
		})
	}
}
